"""The status line: progress of a session's verifications."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model.progress import Progress
from pytest_ftc.reporting.terminal.style import show

_LONGEST = 32
"""Columns for the name of an artifact."""
_LEAD = "ftc  "
_BETWEEN = " · "
_HELD_UP = ": other sessions or workers of yours hold the build slots"


def progress_line(states: Sequence[Progress], width: int) -> str:
    """Return `states` in at most `width` columns: running verifications first, then the number waiting."""
    from rich.cells import cell_len, set_cell_size

    if not states:
        return ""
    running = [_describe(state) for state in states if state.doing]
    fewest = min(1, len(running))
    held_up = any(state.held_up and not state.doing for state in states)
    lines = [
        _LEAD + _BETWEEN.join((*running[:shown], *_count_others(states, shown, why)))
        for why in ((_HELD_UP, "") if held_up else ("",))
        for shown in range(len(running), fewest - 1, -1)
    ]
    fitting = next((line for line in lines if cell_len(line) <= width), None)
    return set_cell_size(lines[-1], max(0, width)).rstrip() if fitting is None else fitting


def _count_others(states: Sequence[Progress], shown: int, why: str) -> list[str]:
    """Return how many more do something, and how many wait, and `why`."""
    doing = sum(bool(state.doing) for state in states)
    counted = {"more": max(0, doing - shown), f"waiting{why}": len(states) - doing}
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
