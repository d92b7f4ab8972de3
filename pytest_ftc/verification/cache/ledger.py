"""The ledger: every build that took part in a verification, and how many agree with each other."""

from __future__ import annotations

import getpass
import os
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparison.manifests import digest_manifest
from pytest_ftc.model import Artifact, BuildRecord, BuildResult, BuildStatus, Role, Verdict, Verification
from pytest_ftc.store.garbage_collection import tidy_up
from pytest_ftc.store.history import History
from pytest_ftc.verification.cache.store_guard import StoreGuard


class Ledger:
    """The builds of the artifacts of `project`, in the `history` of this machine."""

    def __init__(self, history: History, project: Path, guard: StoreGuard) -> None:
        self._history = history
        self._project = str(project)
        self._guard = guard
        self._session = secrets.token_hex(8)

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with the history, one sentence each."""
        return ("the history was damaged; a new one was started",) if self._history.began_anew else ()

    def add(self, action: str, artifact: Artifact, verification: Verification) -> None:
        """Record the builds of `verification`, except those that try a remedy."""
        builds = [build for build in verification.builds if build.role is not Role.REMEDY]
        records = [self._record(action, artifact, build, verification.verdict) for build in builds]
        self._guard.attempt(lambda: self._history.add(records), None)

    def with_agreement(self, action: str, artifact: Artifact, verification: Verification) -> Verification:
        """Return `verification` with the number of builds that agree with it, if it is reproducible."""
        if verification.verdict is not Verdict.REPRODUCIBLE:
            return verification
        digest = digest_manifest(verification.builds[0].outputs, artifact.metadata)
        found = self._guard.attempt(lambda: self._history.agreement(action, digest), None)
        return replace(verification, agreement=found if found and found.builds else None)

    def contradicts(self, action: str, artifact: Artifact, verification: Verification, made: float) -> bool:
        """Return whether builds later than `made` have other outputs than a reproducible `verification`.

        True also where that cannot be known.
        """
        if verification.verdict is not Verdict.REPRODUCIBLE:
            return False
        digest = digest_manifest(verification.builds[0].outputs, artifact.metadata)
        return self._guard.attempt(lambda: self._history.contradicts(action, digest, made), True)

    def order(self, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Return `artifacts` in the best order to build: critical ones first, then those that took the shortest."""
        seconds: Mapping[str, float] = self._guard.attempt(lambda: self._history.last_seconds(self._project), {})
        return sorted(artifacts, key=lambda one: (not one.critical, seconds.get(one.id, float("inf"))))

    def close(self) -> None:
        """Close the history, and once a day remove from the store what has long been unused."""
        self._history.close()
        self._guard.attempt(lambda: tidy_up(self._history.layout), None)

    def _record(self, action: str, artifact: Artifact, build: BuildResult, verdict: Verdict) -> BuildRecord:
        ran = build.status is BuildStatus.OK
        return BuildRecord(
            action=action,
            artifact=artifact.id,
            project=self._project,
            role=build.role.value,
            machine=platform.node(),
            user=_user(),
            session=self._session,
            started=build.started,
            seconds=build.seconds,
            digest=digest_manifest(build.outputs, artifact.metadata) if ran else "",
            verdict=verdict.value,
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
