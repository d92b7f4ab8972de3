"""The ledger: the builds of all verifications, and how many of them agree."""

from __future__ import annotations

import getpass
import json
import os
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparison.manifests import digest_manifest
from pytest_ftc.model import Artifact, BuildRecord, BuildResult, BuildStatus, Role, Verdict, Verification
from pytest_ftc.store.action_cache import Entry
from pytest_ftc.store.garbage_collection import tidy_up
from pytest_ftc.store.history import History, Mark
from pytest_ftc.verification.cache.store_guard import StoreGuard
from pytest_ftc.verification.claims.gap import GAP


class Ledger:
    """The builds of the artifacts of `project`, in the `history` of this machine.

    A `shared` store has entries whose builds are in other machines' histories.
    """

    def __init__(self, history: History, project: Path, guard: StoreGuard, *, shared: bool = False) -> None:
        self._history = history
        self._project = str(project)
        self._guard = guard
        self._shared = shared
        self._session = secrets.token_hex(8)

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems with the history, one sentence each."""
        lost = self._history.lost
        return (
            (f"the history {lost}; a new one was started, and verdicts that depended on the old one are rebuilt",)
            if lost
            else ()
        )

    def add(self, action: str, artifact: Artifact, verification: Verification) -> Mark | None:
        """Record the builds of `verification`, except those that try a remedy.

        Returns the position of the last one; None if they could not be recorded.
        """
        builds = [build for build in verification.builds if build.role is not Role.REMEDY]
        records = [self._record(action, artifact, build, verification.verdict) for build in builds]
        return self._guard.write(lambda: self._history.add(records))

    def with_agreement(self, action: str, artifact: Artifact, verification: Verification) -> Verification:
        """Return `verification` with the number of builds that agree with it, if it is reproducible."""
        if verification.verdict is not Verdict.REPRODUCIBLE:
            return verification
        digest = digest_manifest(verification.builds[0].outputs, artifact.metadata)
        found = self._guard.attempt(lambda: self._history.agreement(action, digest), None)
        return replace(verification, agreement=found if found and found.builds else None)

    def supports(self, entry: Entry, artifact: Artifact, verification: Verification) -> bool:
        """Return whether the history has the builds of a reproducible `verification` and none that contradict it.

        Returns False if that is unknown.
        """
        if verification.verdict is not Verdict.REPRODUCIBLE:
            return True
        digest = digest_manifest(verification.builds[0].outputs, artifact.metadata)
        return self._guard.attempt(lambda: self._supports(entry, digest), False)

    def contradicts(self, action: str, artifact: Artifact, verification: Verification) -> bool | None:
        """Return whether any build of `action` in the history left other outputs than a reproducible `verification`.

        Returns None if that is unknown.
        """
        if verification.verdict is not Verdict.REPRODUCIBLE:
            return False
        digest = digest_manifest(verification.builds[0].outputs, artifact.metadata)
        return self._guard.attempt(lambda: self._history.contradicts(action, digest, 0), None)

    def _supports(self, entry: Entry, digest: str) -> bool:
        since = self._find(entry, digest)
        return since is not None and not self._history.contradicts(entry.action, digest, since)

    def _find(self, entry: Entry, digest: str) -> int | None:
        """Return the number of the last build of `entry` in the history; None if it is missing."""
        if self._shared and entry.machine != platform.node():
            return self._history.find_before(entry.made)  # they are in the history of that machine
        if entry.history:
            return self._history.find(Mark(generation=entry.history, number=entry.row))
        return self._history.find_control(entry.action, digest, entry.made)

    def note_inputs(self, artifact: Artifact, text: str) -> None:
        """Record the inputs of `artifact`, so that the next session can name what has changed."""
        self._guard.write(lambda: self._history.note_inputs(self._project, artifact.id, text))

    def inputs_of(self, artifact: Artifact) -> str:
        """Return the inputs of the last build of `artifact`; empty if unknown."""
        return self._guard.attempt(lambda: self._history.inputs_of(self._project, artifact.id), "")

    def needed_no_gap(self, artifact: Artifact) -> bool:
        """Return whether experiments of the last build of `artifact` could have begun with their control; a hint."""
        try:
            return json.loads(self.inputs_of(artifact)).get(GAP) is False
        except (ValueError, AttributeError):
            return False

    def builds_of(self, artifact: str, most: int) -> Sequence[BuildRecord]:
        """Return the recorded builds of the artifact with this ID, newest first, at `most` as many."""
        return self._guard.attempt(lambda: self._history.of_artifact(artifact, self._project, most), [])

    def order(self, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Return `artifacts` in the best order to build: critical ones first, then the quickest."""
        seconds: Mapping[str, float] = self._guard.attempt(lambda: self._history.last_seconds(self._project), {})
        return sorted(artifacts, key=lambda one: (not one.critical, seconds.get(one.id, float("inf"))))

    def close(self) -> None:
        """Close the history, and once a day collect garbage in the store."""
        self._guard.attempt(lambda: tidy_up(self._history), None)
        self._history.close()

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
