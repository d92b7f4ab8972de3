"""What ``ftc warm`` prints."""

from __future__ import annotations

from collections import Counter

from pytest_ftc.cli.warm.project import WarmedProject
from pytest_ftc.reporting.terminal.store import counted, show_size
from pytest_ftc.verification.warming.warmer import State, Warmed


def describe_warmed(warmed: WarmedProject) -> list[tuple[str, str]]:
    """Return the rows: one for each artifact, then the total."""
    rows = [(one.state.value, _describe(one)) for one in warmed.artifacts]
    moved = sum(one.entry_bytes + one.content_bytes for one in warmed.artifacts if one.state in _MOVED)
    states = Counter(one.state for one in warmed.artifacts)
    named = ", ".join(f"{states[state]} {state.value}" for state in State if states[state])
    total = f"{counted(len(warmed.artifacts), 'artifact')}: {named or 'nothing'}; {show_size(moved)}"
    return [*rows, ("total", f"{total} in {warmed.seconds:.1f} s")]


_MOVED = (State.FETCHED, State.PLANNED)


def _describe(one: Warmed) -> str:
    parts = []
    if one.entry_bytes:
        parts.append(f"verdict {show_size(one.entry_bytes)}")
    if one.contents:
        parts.append(f"{counted(one.contents, 'content')} {show_size(one.content_bytes)}")
    if one.gone:
        parts.append(f"{counted(one.gone, 'content')} no longer there")
    if one.reason:
        parts.append(one.reason)
    return ": ".join(filter(None, (one.artifact, ", ".join(parts))))
