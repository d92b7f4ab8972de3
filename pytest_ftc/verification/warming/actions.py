"""The actions for whose verdicts the next run will ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact
from pytest_ftc.model.errors import FtcError
from pytest_ftc.verification.cache.cache import VerificationCache
from pytest_ftc.verification.open_session import SessionSettings, open_cache_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one artifact needs."""

    artifact: str
    """Its name."""
    id: str = ""
    action: str = ""
    """The digest of its action; empty if it has none."""
    why: str = ""
    """Why it has none."""


def list_wanted(config: Config, added: Contributions, artifacts: Sequence[Artifact]) -> list[Wanted]:
    """Return the actions of `artifacts`, as a session on this machine would compute them; nothing is built.

    Raises FtcError if there is no cache to ask.
    """
    with closing(Workspace()) as workspace:
        cache, why = open_cache_only(
            SessionSettings(config=config, results=workspace.path / "results", added=added), workspace
        )
        if cache is None:
            raise FtcError(why or "builds do not run on this machine, and so their verdicts are not cached")
        with closing(cache):
            return [_wanted(cache, artifact) for artifact in artifacts]


def _wanted(cache: VerificationCache, artifact: Artifact) -> Wanted:
    try:
        query = cache.query(artifact)
    except FtcError as error:
        return Wanted(artifact=artifact.name, id=artifact.id, why=error.message)
    if query is None:
        why = "it downloads or has secrets, and is always built"
        return Wanted(artifact=artifact.name, id=artifact.id, why=why)
    return Wanted(artifact=artifact.name, id=artifact.id, action=query.inquiry.action)
