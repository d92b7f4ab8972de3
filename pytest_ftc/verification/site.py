"""Where the builds of a session, or of a replay, run, and by what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.protocols import Executor
from pytest_ftc.verification.plan import BuildSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSite(BuildSetting):
    """What it takes to run the build of an artifact."""

    executor: Executor
    capture: Callable[[Path], Snapshot]
    """Returns a copy of a source tree."""
    prepare: Callable[[Artifact, Snapshot], Prepared]
    """Provides the build requirements."""
    logs: Path | None = None
    """Where logs are kept; None to leave them where the executor has put them."""
