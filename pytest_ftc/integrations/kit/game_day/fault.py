"""A fault of the game day: how it is injected, which alerts it has to raise, and how it is repaired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_ftc.integrations.kit.game_day.ground import Ground

GOOD = "echo good > out"
"""A build that is reproducible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault."""

    name: str
    """``F1`` to ``F10``, or a word for what it is."""
    title: str
    alerts: tuple[str, ...]
    """The alerts that have to fire, all of one severity: a page makes the tickets of its project silent."""
    prepare: Callable[[Ground], None]
    """Makes the project, and lets it work."""
    inject: Callable[[Ground], None]
    """Breaks something, and runs the sessions that notice it."""
    repair: Callable[[Ground], None]
    """Undoes that, and runs the session that notices it."""
    extra: str = ""
    """The extra of pytest-ftc that it needs besides `prometheus`."""


def only_configure(ground: Ground) -> None:
    """Make a project that has not been verified."""
    ground.configure({"app": GOOD})


def work(ground: Ground) -> None:
    """Make a project, and verify it."""
    ground.configure({"app": GOOD})
    ground.change("0")
    ground.verify()


def work_again(ground: Ground) -> None:
    """Make the project a good one, and verify it by building."""
    ground.configure({"app": GOOD})
    ground.change("good again")
    ground.verify()


def verify_again(ground: Ground) -> None:
    """Verify the project as it is."""
    ground.verify()
