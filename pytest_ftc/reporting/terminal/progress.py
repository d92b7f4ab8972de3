"""The status line: progress of a session's verifications."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model.progress import Progress
from pytest_ftc.reporting.terminal.style import show

_LONGEST = 32
"""Columns for the name of an artifact."""
_LEAD = "ftc  "
_BETWEEN = " · "


def progress_line(states: Sequence[Progress], width: int) -> str:
    """Return `states` in at most `width` columns: running verifications first, then the number waiting."""
    from rich.cells import cell_len, set_cell_size

    if not states:
        return ""
    running = [_describe(state) for state in states if state.doing]
    for shown in range(len(running), 0, -1):
        line = _LEAD + _BETWEEN.join((*running[:shown], *_count_others(states, shown)))
        if cell_len(line) <= width:
            return line
    line = _LEAD + _BETWEEN.join((*running[:1], *_count_others(states, 1)))
    return line if cell_len(line) <= width else set_cell_size(line, max(0, width)).rstrip()


def _count_others(states: Sequence[Progress], shown: int) -> list[str]:
    doing = sum(bool(state.doing) for state in states)
    counted = {"more": max(0, doing - shown), "waiting": len(states) - doing}
    return [f"{count} {word}" for word, count in counted.items() if count]


def _describe(state: Progress) -> str:
    seconds = int(state.seconds)
    passed = f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{_shorten(state.name)}: {state.doing} {passed}"


def _shorten(name: str) -> str:
    from rich.cells import cell_len, set_cell_size

    shown = show(name)
    if cell_len(shown) <= _LONGEST:
        return shown
    end = shown.rpartition("::")[2] if "::" in shown else shown
    return end if cell_len(end) <= _LONGEST else f"{set_cell_size(end, _LONGEST - 1).rstrip()}…"
