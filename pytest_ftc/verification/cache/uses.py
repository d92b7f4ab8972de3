"""What a build used outside its sources, as far as it was seen: a cached verdict holds while that is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.builds.inputs.dependencies import Dependencies
from pytest_ftc.model import BuildResult
from pytest_ftc.store.action_cache import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """What one build used."""

    tokens: Mapping[str, str] = field(default_factory=dict)
    """A token for each path."""
    unseen: str = ""
    """Why that may not be all."""


def describe_uses(control: BuildResult, dependencies: Dependencies) -> Uses:
    """Return what the traced build `control` used.  Raises ChangedError where that was changed meanwhile."""
    trace = control.trace
    if trace is None:
        return Uses(unseen=control.not_followed or "it was not traced")
    return Uses(tokens=dependencies.describe(trace.outside, control.started), unseen=trace.outside_gap)


def describe_unseen(entry: Entry) -> tuple[str, ...]:
    """Return the note for a verdict that is answered although not all is known that its build used."""
    if not entry.unseen:
        return ()
    return (
        (
            "cached, though the build may use files that nobody has seen and its command does not name "
            f"({entry.unseen}); --ftc-no-cache builds it"
        ),
    )
