"""What a preset makes of an artifact."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An artifact that is ready to build, and what its builds use besides their source."""

    artifact: Artifact
    path_entries: tuple[str, ...] = ()
    """Folders that go first on the search path for commands."""
    inputs_digest: str = ""
    """sha256 of the installed build requirements; empty when there are none."""
