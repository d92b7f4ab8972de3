"""Verifies the artifacts of one session."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.contributions import NOTHING, Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact, BuildRecord, BuildResult, Verification
from pytest_ftc.model.progress import Load, Progress
from pytest_ftc.model.store import TierUse
from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.trace_context import TraceContext, start_trace
from pytest_ftc.verification.metrics.facts import Services, inspect_services
from pytest_ftc.verification.open_session import RunningSession, SessionSettings, open_session
from pytest_ftc.verification.proofs.origin import at, describe_origin
from pytest_ftc.verification.verify import build_once


class Verifier:
    """Verifies the artifacts of one session; nothing is created before the first is requested."""

    def __init__(
        self,
        config: Config,
        results: Path,
        added: Contributions = NOTHING,
        records: Sequence[Path] = (),
        trace: TraceContext | None = None,
    ) -> None:
        """Logs and diffs go to the folder `results`, records for a replay to the folders `records`.

        The session belongs to `trace`, or to the one that the environment names.
        """
        self.collector = Collector(trace or start_trace(os.environ))
        """Collects the phases of the session."""
        self._settings = SessionSettings(
            config=config, results=results, added=added, records=records, collector=self.collector
        )
        self._workspace = Workspace()
        self._lock = threading.Lock()
        self._open: RunningSession | None = None

    def start(self, artifacts: Sequence[Artifact], first: Collection[str] = ()) -> None:
        """Start verifying `artifacts` in the background.

        Those whose ID is in `first` come first, then the critical ones, then the quickest.
        """
        if artifacts:
            running = self._running()
            cache = running.context.cache
            ordered = cache.ledger.order(artifacts) if cache else artifacts
            running.background.start(sorted(ordered, key=lambda one: one.id not in first))

    def result(self, artifact: Artifact, waiting: Callable[[], None] = lambda: None) -> Verification:
        """Return the verification of `artifact`, started now if necessary; `waiting` is called meanwhile."""
        return self._running().background.result(artifact, waiting)

    def progress(self) -> Sequence[Progress]:
        """Return the progress of all running verifications."""
        running = self._running()
        return [
            running.executor.look(artifact.name) if runs else Progress(name=artifact.name, doing="")
            for artifact, runs in running.background.open
        ]

    @property
    def load(self) -> Load:
        """How much this process has to do."""
        running = self._open
        return running.background.load.plus(running.executor.load) if running else Load()

    def build_once(self, artifact: Artifact) -> BuildResult:
        """Build `artifact` once in the control environment, without comparison.  Raises FtcError."""
        return self.build_and_search(artifact)[0]

    def build_and_search(self, artifact: Artifact) -> tuple[BuildResult, tuple[str, ...]]:
        """Build `artifact` as `build_once` does; return the leaks of its secrets too.  Raises FtcError."""
        with self.collector.collecting():
            return build_once(artifact, self._running().context)

    def known(self, artifact: Artifact) -> Verification | None:
        """Return what an earlier session has verified of `artifact` as it is now; None if nothing.  Raises FtcError."""
        cache = self._running().context.cache
        query = cache.query(artifact) if cache else None
        return cache.lookup(query) if cache and query else None

    def recorded(self, artifact: str, most: int) -> Sequence[BuildRecord]:
        """Return builds of the artifact with this ID, of this session and earlier ones, newest first, at `most`."""
        cache = self._open.context.cache if self._open else None
        return cache.ledger.builds_of(artifact, most) if cache else ()

    def close(self) -> None:
        """End everything that is still running, and clean up; may be called again if it was interrupted."""
        if self._open:
            self._open.close()
        self._workspace.close()

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems with the store and with the observation, one sentence each."""
        own = (self.collector.problem,) if self.collector.problem else ()
        return (*(self._open.problems if self._open else ()), *own)

    @property
    def services(self) -> Services:
        """How the services that this process used are now."""
        answers = not self._settings.config.no_cache
        return inspect_services(self._open, answers=answers) if self._open else Services()

    @property
    def tiers(self) -> TierUse | None:
        """How the local and the remote store were used; None without a remote one."""
        return self._open.tiers if self._open else None

    def describe(self, started: float, command: Sequence[str], plugins: Mapping[str, str]) -> dict[str, Any]:
        """Return ``tool`` and ``session`` of the report; `plugins` has the versions of pytest and of its plugins."""
        config = self._settings.config
        secrets = self._open.context.known_secrets if self._open else ()
        shown = [reduce(lambda text, known: known.mask(text), secrets, word) for word in command]
        return {
            "tool": {"name": "pytest-ftc", "version": __version__},
            "session": {
                "started": started,
                "started_at": at(started),
                "seconds": time.time() - started,
                "ended_at": at(time.time()),
                "python": platform.python_version(),
                "platform": platform.platform(),
                "root": str(config.root),
                "trace_id": self.collector.context.trace_id,
                "builds": config.builds,
                "jobs": config.jobs,
                "variations": config.variations,
                **describe_origin(config, shown, plugins),
            },
        }

    def _running(self) -> RunningSession:
        with self._lock:
            if self._open is None:
                self._open = open_session(self._settings, self._workspace)
            return self._open
