"""The composition root: puts the parts together for one session, and takes them apart again."""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.background import Background
from pytest_ftc.comparators import ComparatorChain, DiffoscopeComparator
from pytest_ftc.configuration import Config, load_config
from pytest_ftc.contributions import NOTHING, Contributions, TranslatedStore
from pytest_ftc.declared import add_artifacts
from pytest_ftc.diagnosis.diagnosers import Panel
from pytest_ftc.errors import ConfigurationError, FtcError
from pytest_ftc.examination import examine_machine
from pytest_ftc.executors import (
    LocalExecutor,
    ObservedExecutor,
    Patience,
    RetryingExecutor,
    SnapshotCache,
    Workspace,
)
from pytest_ftc.executors.sources import Sources, current_commit
from pytest_ftc.executors.toolchain import Toolchain
from pytest_ftc.explain import Plugins
from pytest_ftc.memory import Asked, Memory
from pytest_ftc.model import Artifact, BuildResult, Machine, Verification
from pytest_ftc.model.progress import Progress
from pytest_ftc.planning.specification import Vocabulary, parse_specification
from pytest_ftc.presets import declare, prepare
from pytest_ftc.presets.build_environment import default_cache, installed_digests
from pytest_ftc.protocols import Images, Store, Variation
from pytest_ftc.recording import Recording
from pytest_ftc.records import write_records
from pytest_ftc.store import History, LocalStore, load_key
from pytest_ftc.verify import Workshop, build_once, verify

_FEWEST_OPEN, _MOST_OPEN = 16, 64
"""Verifications."""


def load_project(
    root: Path,
    given: Mapping[str, str | bool | None],
    added: Contributions = NOTHING,
    *,
    ini: Path | None = None,
    needs_artifacts: bool = True,
) -> Config:
    """Return the settings of the project at `root` with its artifacts: those declared, or a Python project's own.

    Those that plugins have `added` come after them; without a configuration file they are shown below pytest's `ini`.
    Raises ConfigurationError, also where there is none though it `needs_artifacts`.
    """
    loaded = load_config(root, given, added.vocabulary)
    if not loaded.artifacts and loaded.build_file:
        artifacts = tuple(replace(artifact, strict=loaded.strict) for artifact in declare(loaded.build_file))
        loaded = replace(loaded, file=loaded.build_file, artifacts=artifacts)
    loaded = add_artifacts(loaded, added.artifacts, loaded.file or ini, added.vocabulary)
    if needs_artifacts and not loaded.artifacts:
        raise ConfigurationError(explain_nothing(root))
    return loaded


def explain_nothing(root: Path) -> str:
    """Return what to say where nothing can be verified."""
    if (root / "ftc.toml").is_file():
        return (
            f"--ftc-verify: no artifact is declared in {root / 'ftc.toml'}.  "
            'Complete one there: [artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"]'
        )
    return (
        f"--ftc-verify: no artifact is declared in {root}, and no Python project was found there.  "
        'Declare one: [tool.ftc.artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"], or run: ftc init'
    )


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
        self._open: _Open | None = None

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

    def _parts(self) -> _Open:
        with self._lock:
            if self._open is None:
                self._open = _Open(self._config, self._results, self._records, self._workspace, self._added)
            return self._open


class _Open:
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
        self.memory: Memory | None = None
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
        workshop = Workshop(
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
            plugins=Plugins(comparators=self._comparator, diagnosers=self._panel, cures=added.cures),
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


def find_key() -> bytes | None:
    """Return the key for what may be secret; None where there is none and none can be made."""
    try:
        return load_key(key_file(), os.environ)
    except FtcError:
        return None


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
) -> Memory:
    """Return what earlier sessions have left, for questions about the artifacts of `config`.

    `effects` are digests of what the variations of plugins do; `foreign` is a plugin's store, in place of our own.
    Raises StoreUnavailableError.
    """
    local = LocalStore(config.store or store_folder())
    local.layout.make()
    store: Store = TranslatedStore(foreign) if foreign else local
    asked = Asked(
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
    return Memory(store, History(local.layout), load_key(key_file(), os.environ), asked, answers=not config.no_cache)


def store_folder() -> Path:
    """Return where this user's store is, unless an option says otherwise."""
    return Path(os.environ["FTC_STORE"]).absolute() if os.environ.get("FTC_STORE") else user_cache("store")


def key_file() -> Path:
    """Return the file of the key under which this user's entries are authenticated."""
    import platformdirs

    return Path(platformdirs.user_data_dir("pytest-ftc"), "store-key")


def self_test_cache() -> Path:
    """Return the folder in which passed self-tests are noted."""
    return user_cache("self-tests")


def user_cache(name: str) -> Path:
    """Return the folder `name` of what is kept for this user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-ftc"), name)


def _select_for(
    artifact: Artifact, *, default: str, vocabulary: Vocabulary, replaced: Mapping[str, Variation]
) -> tuple[Variation, ...]:
    """Return the variations that are asked for, in the order of the catalogue, with their parameters."""
    selected = parse_specification(artifact.variations or default, vocabulary).select(vocabulary.catalogue)
    return tuple(replaced.get(variation.name, variation) for variation in selected)


def search_path() -> tuple[str, ...]:
    """Return where builds look for commands: beside the running Python first, so that ``python`` is that one."""
    entries: Iterable[str] = (str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(dict.fromkeys(entry for entry in entries if Path(entry).is_absolute()))
