"""The progress of an artifact's verification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The current step of one artifact's verification."""

    name: str
    """The name of the artifact."""
    doing: str
    """In a few words; empty while it waits for a free slot."""
    seconds: float = 0.0
    """When the step began."""
    held_up: bool = False
    """Whether it waits because other sessions or workers of this user hold all slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much a session has to do."""

    waiting: int = 0
    """Builds, and artifacts whose verification has not begun, that wait for their turn."""
    running: int = 0
    """Builds whose command runs."""
    ended: int = 0
    """Builds and verifications that have ended."""

    def plus(self, other: Load) -> Load:
        """Return the sum."""
        return Load(
            waiting=self.waiting + other.waiting, running=self.running + other.running, ended=self.ended + other.ended
        )
