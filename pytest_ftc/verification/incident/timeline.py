"""The timeline of an incident, as text: what the report and the history know of an artifact, by time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_ftc.model import BuildRecord
from pytest_ftc.model.support.printable import printable, shorten
from pytest_ftc.verification.incident.results import Results

_LONGEST = 200
"""Characters of an event."""
_FORM = "%Y-%m-%d %H:%M:%S"


def make_timeline(results: Results, history: Sequence[BuildRecord]) -> str:
    """Return one line for each event, oldest first, with its time in UTC."""
    known = {one.get("started") for one in results.builds}
    events = [
        *_of_history([one for one in history if one.started not in known]),
        *_of_report(results),
        *_of_phases(results),
    ]
    return "".join(f"{_show(at)}  {printable(shorten(text, _LONGEST), keep='')}\n" for at, text in sorted(events))


def _of_history(history: Sequence[BuildRecord]) -> Iterator[tuple[float, str]]:
    for one in history:
        outcome = f"outputs {one.digest[:12]}" if one.digest else "failed"
        where = f"on {one.machine} by {one.user}, session {one.session}"
        yield one.started, f"{one.role} build began {where}: {one.seconds:.1f} s, {outcome}, verdict {one.verdict}"


def _of_report(results: Results) -> Iterator[tuple[float, str]]:
    if (started := _number(results.session.get("started"))) is not None:
        yield started, f"session began on {results.session.get('platform')}"
        if (seconds := _number(results.session.get("seconds"))) is not None:
            yield started + seconds, f"session ended; verdict on {results.name}: {results.entry.get('verdict')}"
    for one in results.builds:
        started, seconds = _number(one.get("started")), _number(one.get("seconds"))
        if started is None or seconds is None or results.entry.get("cached"):
            continue
        for why in (*_texts(one.get("lost_before")), *_texts(one.get("failed_before"))):
            yield started, f"build {one.get('id')} began again: {why}"
        yield started, f"build {one.get('id')} began"
        yield started + seconds, f"build {one.get('id')} ended: {one.get('status')} {one.get('reason') or ''}".rstrip()


def _of_phases(results: Results) -> Iterator[tuple[float, str]]:
    for one in results.verification.phases if results.verification else ():
        problem = f"; {one.problem}" if one.problem else ""
        what = f"{one.kind.value} {one.name}".rstrip()
        yield one.started, f"phase {what} began, {one.seconds:.3f} s{problem}"


def _texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    """Return `value` if it is a time that can be shown: reports may be made by others."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e11 else None


def _show(at: float) -> str:
    return f"{time.strftime(_FORM, time.gmtime(at))}.{int(at % 1 * 1000):03d}Z"
