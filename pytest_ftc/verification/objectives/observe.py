"""Records what a session has seen, for the objectives."""

from __future__ import annotations

import time

from pytest_ftc.builds.inputs.snapshot import commit_time, list_changed
from pytest_ftc.builds.inputs.source_state import current_commit
from pytest_ftc.config.load import Config
from pytest_ftc.model import Role, Verdict, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.objectives.observed import SessionObserved, VerificationObserved
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.observations.database import Observations
from pytest_ftc.verification.metrics.facts import SessionFacts
from pytest_ftc.verification.user_folders import store_folder, written_by

_CUT_SHORT = (Verdict.FAILED, Verdict.ERROR)
"""What a verification may end with because the user ended the session."""
_INTERRUPTED = "interrupted"


def record_session(config: Config, facts: SessionFacts, started: float) -> None:
    """Record what a session with `config` did, which `started` then.  Raises StoreUnavailableError."""
    layout = Layout(config.store or store_folder())
    layout.make()
    writes, signings, ended = facts.services.writes, facts.signings, time.time()
    session = SessionObserved(
        project=str(config.root),
        ended=ended,
        writes=writes.attempted,
        failed_writes=writes.failed,
        signings=signings.signed + signings.failed,
        failed_signings=signings.failed,
    )
    cut_short = _CUT_SHORT if facts.outcome == _INTERRUPTED else ()
    whole = [one for one in facts.verifications if one.verdict not in cut_short]
    revision = _find_commit(config) if whole else ("", None)
    rows = [_observe(one, facts, revision, project=str(config.root), session=(started, ended)) for one in whole]
    Observations(layout).add(session, rows)


def _observe(
    verification: Verification,
    facts: SessionFacts,
    revision: tuple[str, float | None],
    *,
    project: str,
    session: tuple[float, float],
) -> VerificationObserved:
    could_be_cached = facts.services.looks_up and verification.name not in facts.never_cached
    built = () if verification.cached else verification.builds
    control = next((one for one in built if one.role is Role.CONTROL), None)
    began = min((one.started for one in built if one.started), default=session[0])
    return VerificationObserved(
        project=project,
        artifact=verification.id,
        verdict=verification.verdict.value,
        cached=verification.cached if could_be_cached else None,
        mismatch=not verification.cached and verification.mismatch,
        ended=min(began + verification.seconds, session[1]),
        seconds=verification.seconds,
        build_seconds=control.seconds if control else None,
        cpu_seconds=sum(one.seconds if one.cpu_seconds is None else one.cpu_seconds for one in built),
        bytes=sum(output.size for output in control.outputs) if control else 0,
        commit=revision[0],
        committed=revision[1],
    )


def _find_commit(config: Config) -> tuple[str, float | None]:
    """Return the commit of the project and its time; none if there are local changes, which no commit has."""
    try:
        commit = current_commit(config.root)
        if not commit or list_changed(config.root, written_by(config)):
            return "", None
        return commit, commit_time(config.root)
    except (FtcError, OSError):
        return "", None
