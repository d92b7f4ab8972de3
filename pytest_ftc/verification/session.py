"""The composition root: puts the parts together for one session, and takes them apart again."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.builds.inputs.snapshot import SnapshotCache
from pytest_ftc.builds.inputs.source_state import Sources, current_commit
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.observed import ObservedExecutor
from pytest_ftc.builds.requirements.environment_cache import default_cache, installed_digests
from pytest_ftc.builds.requirements.python import prepare
from pytest_ftc.builds.retrying import Patience, RetryingExecutor
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.comparison.diffoscope import DiffoscopeComparator
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.config.contributions import NOTHING, Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.model import Artifact, BuildResult, Machine, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.progress import Progress
from pytest_ftc.model.protocols import Images, Store, Variation
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.store.secret_key import load_key
from pytest_ftc.store.translated import TranslatedStore
from pytest_ftc.variations.specification import Vocabulary, parse_specification
from pytest_ftc.verification.cache import CacheContext, VerificationCache
from pytest_ftc.verification.explain import Plugins
from pytest_ftc.verification.replay.recorder import Recording
from pytest_ftc.verification.replay.records import write_records
from pytest_ftc.verification.scheduler import Background
from pytest_ftc.verification.self_test.machine import examine_machine
from pytest_ftc.verification.user_folders import (
    find_key,
    key_file,
    search_path,
    self_test_cache,
    store_folder,
    user_cache,
)
from pytest_ftc.verification.verify import VerificationContext, build_once, verify

_FEWEST_OPEN, _MOST_OPEN = 16, 64
"""Verifications."""


class Verifier:
    """Verifies the artifacts of one session; nothing is made before the first is asked for."""

    def __init__(
        self, config: Config, results: Path, added: Contributions = NOTHING, records: Sequence[Path] = ()
    ) -> None:
        """Logs and diffs go to the folder `results`, what a replay needs to those of `records`."""
        self._config = config
        self._added = added
        self._results = results
        self._records = records
        self._workspace = Workspace()
        self._lock = threading.Lock()
        self._open: RunningSession | None = None

    def start(self, artifacts: Sequence[Artifact], first: Collection[str] = ()) -> None:
        """Begin to verify `artifacts` in the background.

        Those whose id is in `first` come first, then the critical ones, then those that take the shortest.
        """
        if artifacts:
            memory = self._parts().memory
            ordered = memory.order(artifacts) if memory else artifacts
            self._parts().background.start(sorted(ordered, key=lambda one: one.id not in first))

    def result(self, artifact: Artifact, waiting: Callable[[], None] = lambda: None) -> Verification:
        """Return the verification of `artifact`, begun now if need be; `waiting` is called meanwhile."""
        return self._parts().background.result(artifact, waiting)

    def progress(self) -> Sequence[Progress]:
        """Return where the verifications stand that have not ended."""
        parts = self._parts()
        return [
            parts.executor.look(artifact.name) if runs else Progress(name=artifact.name, doing="")
            for artifact, runs in parts.background.open
        ]

    def build_once(self, artifact: Artifact) -> BuildResult:
        """Build `artifact` in the environment of a control, and compare nothing.  Raises FtcError."""
        return build_once(artifact, self._parts().workshop)

    def close(self) -> None:
        """End what still runs, and leave nothing behind; may be called again if it was interrupted."""
        if self._open:
            self._open.close()
        self._workspace.close()

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with the store, one sentence each."""
        return self._open.problems if self._open else ()

    def describe(self, started: float) -> dict[str, Any]:
        """Return ``tool`` and ``session`` of the report."""
        return {
            "tool": {"name": "pytest-ftc", "version": __version__},
            "session": {
                "started": started,
                "seconds": time.time() - started,
                "python": platform.python_version(),
                "platform": platform.platform(),
                "root": str(self._config.root),
                "builds": self._config.builds,
                "jobs": self._config.jobs,
                "variations": self._config.variations,
            },
        }

    def _parts(self) -> RunningSession:
        with self._lock:
            if self._open is None:
                self._open = RunningSession(self._config, self._results, self._records, self._workspace, self._added)
            return self._open


class RunningSession:
    """What exists while a session verifies."""

    def __init__(
        self, config: Config, results: Path, records: Sequence[Path], workspace: Workspace, added: Contributions
    ) -> None:
        workspace.make()
        cancelled = threading.Event()
        foreign = added.make_executor()
        machine, own = examine_machine(workspace, added.variations, executor=foreign, cache=self_test_cache())
        diffoscope = DiffoscopeComparator(results / "diffs", workspace.folder("compare"))
        self._comparator = ComparatorChain(diffoscope, added.comparators)
        inner = foreign or LocalExecutor(
            machine, workspace.folder("builds"), results / "logs", config.jobs, user_cache("slots")
        )
        executor = ObservedExecutor(RetryingExecutor(inner, Patience(retries=config.retries)))
        vocabulary = added.vocabulary
        select = partial(_select_for, default=config.variations, vocabulary=vocabulary, replaced=own.replaced)
        self._panel = Panel(added.diagnosers, [variation.name for variation in vocabulary.catalogue])
        self._problem = ""
        self._records = records
        self._not_recorded = ""
        self.memory: VerificationCache | None = None
        # What another executor builds with is in no digest, and cannot be had again by us.
        remembers = foreign is None
        store = added.make_store() if remembers else None
        sources = Sources(config.root, {artifact.source for artifact in config.artifacts})
        images = load_images(workspace.folder("published"), cancelled.is_set)
        try:
            if remembers:
                self.memory = open_memory(config, machine, select, sources, own.effects, store, images)
        except FtcError as error:
            self._problem = f"nothing is remembered: {error.message}"
        workshop = VerificationContext(
            executor=executor,
            machine=machine,
            comparator=self._comparator,
            capture=SnapshotCache(workspace.folder("sources")).capture,
            prepare=partial(prepare, cache=default_cache(), cancelled=cancelled.is_set),
            select=select,
            builds=config.builds,
            folder=workspace.folder("plain"),
            path=search_path(),
            environ=dict(os.environ),
            trace=config.trace,
            diagnose=config.diagnose,
            max_builds=config.max_builds,
            scratch=workspace.folder("scratch"),
            logs=results / "logs",
            memory=self.memory,
            plugins=Plugins(comparators=self._comparator, diagnosers=self._panel, templates=added.templates),
            recording=_start_recording(config.root, sources) if records and remembers else None,
            images=images,
        )

        def cancel() -> None:
            cancelled.set()
            diffoscope.cancel()
            executor.cancel()

        self.workshop = workshop
        self.executor = executor
        self.background = Background(
            lambda artifact: self._record(verify(artifact, workshop)), cancel, _verifications_at_once(config, machine)
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with the store, one sentence each."""
        remembering = self.memory.problems if self.memory else ()
        own = filter(None, (self._problem, self._not_recorded))
        return (*own, *remembering, *self._comparator.problems, *self._panel.problems)

    def _record(self, verification: Verification) -> Verification:
        """Write down the builds of `verification`, remembered ones too, so that they can be replayed."""
        try:
            for folder in self._records:
                write_records(folder, verification)
        except OSError as error:
            self._not_recorded = f"not all builds can be replayed: {error.filename}: {error.strerror or error}"
        return verification

    def close(self) -> None:
        """End what still runs; may be called again."""
        self.background.close()
        if self.memory:
            self.memory.close()


def _verifications_at_once(config: Config, machine: Machine) -> int:
    """Return how many may be open.  Most of their time they wait for the gap between builds, or for a free job.

    Each has its environments set up meanwhile: a launcher each and, without overlays, a copy of the sources.
    """
    return min(_FEWEST_OPEN * config.jobs, _MOST_OPEN) if machine.overlay else _FEWEST_OPEN


def _start_recording(root: Path, sources: Sources) -> Recording:
    return Recording(
        root=root,
        digest=sources.digest,
        commit=cache(current_commit),
        key=find_key(),
        path=search_path(),
        environ=dict(os.environ),
    )


def load_images(folder: Path, cancelled: Callable[[], bool]) -> Images:
    """Return what finds published files in registries and puts them into `folder`."""
    images: Images = import_module("pytest_ftc.integrations.oci").OciImages(folder, cancelled)
    return images


def open_memory(
    config: Config,
    machine: Machine,
    select: Callable[[Artifact], Sequence[Variation]],
    sources: Sources,
    effects: Mapping[str, str],
    foreign: Store | None,
    images: Images | None = None,
) -> VerificationCache:
    """Return what earlier sessions have left, for questions about the artifacts of `config`.

    `effects` are digests of what the variations of plugins do; `foreign` is a plugin's store, in place of our own.
    Raises StoreUnavailableError.
    """
    local = LocalStore(config.store or store_folder())
    local.layout.make()
    store: Store = TranslatedStore(foreign) if foreign else local
    asked = CacheContext(
        project=config.root,
        sources=sources,
        toolchain=Toolchain(search_path()),
        machine=machine,
        select=select,
        builds=config.builds,
        diagnose=config.diagnose,
        trace=config.trace,
        path=search_path(),
        environ=dict(os.environ),
        has_environment=lambda digest: digest in installed_digests(default_cache()),
        platform=(platform.system(), platform.machine(), *platform.libc_ver(), platform.python_version()),
        effects=effects,
        images=images,
    )
    return VerificationCache(
        store, History(local.layout), load_key(key_file(), os.environ), asked, answers=not config.no_cache
    )


def _select_for(
    artifact: Artifact, *, default: str, vocabulary: Vocabulary, replaced: Mapping[str, Variation]
) -> tuple[Variation, ...]:
    """Return the variations that are asked for, in the order of the catalogue, with their parameters."""
    selected = parse_specification(artifact.variations or default, vocabulary).select(vocabulary.catalogue)
    return tuple(replaced.get(variation.name, variation) for variation in selected)
