"""The composition root: puts the parts together for one session, and takes them apart again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.background import Background
from pytest_ftc.comparators import DiffoscopeComparator
from pytest_ftc.configuration import Config, load_config
from pytest_ftc.errors import ConfigurationError, FtcError
from pytest_ftc.executors import (
    LocalExecutor,
    ObservedExecutor,
    Patience,
    RetryingExecutor,
    SnapshotCache,
    Workspace,
    survey_machine,
)
from pytest_ftc.executors.sources import Sources
from pytest_ftc.executors.toolchain import Toolchain
from pytest_ftc.launcher.trees import remove_tree
from pytest_ftc.memory import Asked, Memory
from pytest_ftc.model import Artifact, BuildResult, Machine, Verification
from pytest_ftc.model.progress import Progress
from pytest_ftc.model.serial import to_json
from pytest_ftc.planning.specification import Vocabulary, parse_specification
from pytest_ftc.presets import declare, prepare
from pytest_ftc.presets.build_environment import default_cache, installed_digests
from pytest_ftc.protocols import Variation
from pytest_ftc.self_test import find_unseen
from pytest_ftc.store import LocalStore, load_key
from pytest_ftc.variations import CATALOGUE, PRESETS
from pytest_ftc.verify import Workshop, build_once, verify

VOCABULARY = Vocabulary(CATALOGUE, PRESETS)
"""What specifications may speak of."""


def load_project(root: Path, given: Mapping[str, str | bool | None], *, needs_artifacts: bool = True) -> Config:
    """Return the settings of the project at `root` with its artifacts: those declared, or a Python project's own.

    Raises ConfigurationError, also where there is none though it `needs_artifacts`.
    """
    loaded = load_config(root, given, VOCABULARY)
    if loaded.artifacts:
        return loaded
    if loaded.build_file:
        artifacts = tuple(replace(artifact, strict=loaded.strict) for artifact in declare(loaded.build_file))
        return replace(loaded, file=loaded.build_file, artifacts=artifacts)
    if needs_artifacts:
        raise ConfigurationError(explain_nothing(root))
    return loaded


def explain_nothing(root: Path) -> str:
    """Return what to say where nothing can be verified."""
    return (
        f"--ftc-verify: no artifact is declared in {root}, and no Python project was found there.  "
        'Declare one: [tool.ftc.artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"], or run: ftc init'
    )


class Verifier:
    """Verifies the artifacts of one session; nothing is made before the first is asked for."""

    def __init__(self, config: Config, results: Path) -> None:
        self._config = config
        self._results = results
        self._workspace = Workspace()
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def start(self, artifacts: Sequence[Artifact]) -> None:
        """Begin to verify `artifacts` in the background, the critical ones first, then those that take the shortest."""
        if artifacts:
            memory = self._parts().memory
            self._parts().background.start(memory.order(artifacts) if memory else artifacts)

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
                self._open = _Open(self._config, self._results, self._workspace)
            return self._open


class _Open:
    """What exists while a session verifies."""

    def __init__(self, config: Config, results: Path, workspace: Workspace) -> None:
        workspace.make()
        cancelled = threading.Event()
        machine = examine_machine(workspace, cache=self_test_cache())
        comparator = DiffoscopeComparator(results / "diffs", workspace.folder("compare"))
        local = LocalExecutor(machine, workspace.folder("builds"), results / "logs", config.jobs, user_cache("slots"))
        executor = ObservedExecutor(RetryingExecutor(local, Patience(retries=config.retries)))
        select = partial(_select_for, default=config.variations)
        self._problem = ""
        self.memory: Memory | None = None
        try:
            self.memory = open_memory(config, machine, select)
        except FtcError as error:
            self._problem = f"nothing is remembered: {error.message}"
        workshop = Workshop(
            executor=executor,
            machine=machine,
            comparator=comparator,
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
            memory=self.memory,
        )

        def cancel() -> None:
            cancelled.set()
            comparator.cancel()
            executor.cancel()

        self.workshop = workshop
        self.executor = executor
        self.background = Background(lambda artifact: verify(artifact, workshop), cancel)

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with the store, one sentence each."""
        return tuple(filter(None, (self._problem, *(self.memory.problems if self.memory else ()))))

    def close(self) -> None:
        """End what still runs; may be called again."""
        self.background.close()
        if self.memory:
            self.memory.close()


def open_memory(config: Config, machine: Machine, select: Callable[[Artifact], Sequence[Variation]]) -> Memory:
    """Return what earlier sessions have left, for questions about the artifacts of `config`.

    Raises StoreUnavailableError.
    """
    store = LocalStore(config.store or store_folder())
    store.layout.make()
    asked = Asked(
        project=config.root,
        sources=Sources(config.root, {artifact.source for artifact in config.artifacts}),
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
    )
    return Memory(store, load_key(key_file(), os.environ), asked, answers=not config.no_cache)


def store_folder() -> Path:
    """Return where this user's store is, unless an option says otherwise."""
    return Path(os.environ["FTC_STORE"]).absolute() if os.environ.get("FTC_STORE") else user_cache("store")


def key_file() -> Path:
    """Return the file of the key under which this user's entries are authenticated."""
    import platformdirs

    return Path(platformdirs.user_data_dir("pytest-ftc"), "store-key")


def examine_machine(workspace: Workspace, cache: Path | None = None) -> Machine:
    """Return what this machine offers, and which variations a program would not see.

    In the folder `cache` it is noted that all were seen, so that the look is taken once per boot.
    """
    machine = survey_machine(workspace.path)
    noted = cache / _describe_boot(machine) if cache else None
    if noted and os.access(noted, os.F_OK):
        return machine
    folder = workspace.folder("self-test")
    executor = LocalExecutor(machine, folder / "work", folder / "logs", jobs=2)
    try:
        unseen = find_unseen(executor, machine, CATALOGUE, folder)
    finally:
        remove_tree(str(folder))
    if noted and not unseen:
        with contextlib.suppress(OSError):
            noted.parent.mkdir(parents=True, exist_ok=True)
            noted.touch()
    return replace(machine, unseen=unseen)


def self_test_cache() -> Path:
    """Return the folder in which passed self-tests are noted."""
    return user_cache("self-tests")


def user_cache(name: str) -> Path:
    """Return the folder `name` of what is kept for this user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-ftc"), name)


def _describe_boot(machine: Machine) -> str:
    """Return a digest of all on which the outcome of a self-test depends; the boot among it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = str(time.time())
    facts = [__version__, boot, to_json(replace(machine, work_dir=str(Path(machine.work_dir).parent))), sys.executable]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _select_for(artifact: Artifact, *, default: str) -> tuple[Variation, ...]:
    return select_variations(artifact.variations or default)


@cache
def select_variations(specification: str) -> tuple[Variation, ...]:
    """Return the variations that `specification` selects, in the order of the catalogue, with their parameters."""
    return parse_specification(specification, VOCABULARY).select(CATALOGUE)


def search_path() -> tuple[str, ...]:
    """Return where builds look for commands: beside the running Python first, so that ``python`` is that one."""
    entries: Iterable[str] = (str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(dict.fromkeys(entry for entry in entries if Path(entry).is_absolute()))
