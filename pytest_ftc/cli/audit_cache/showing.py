"""The result of an audit, as a table and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_ftc.cli.output import page_style, write_text
from pytest_ftc.integrations.audit.findings import WRONG, AuditedAction, PlaceFound, Standing
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.reporting.terminal.store import render_rows

_SHOWN = 11
"""Characters of a hash."""
_MOST_PLACES = 3
_QUIET = (Standing.REPRODUCIBLE, Standing.INTACT)


def show_audit(audited: Sequence[AuditedAction], notes: Sequence[str]) -> None:
    """Print what is not fine, worst first, and how many actions there are of each kind."""
    order = list(Standing)
    for one in sorted(audited, key=lambda one: order.index(one.standing)):
        if one.standing not in _QUIET:
            _write(_rows(one))
    counts = Counter(one.standing for one in audited)
    summary = ", ".join(f"{counts[standing]} {standing.value}" for standing in order if counts[standing])
    resumed = sum(one.resumed for one in audited)
    _write([("audited", summary), *([("", f"{resumed} of them by an earlier audit")] if resumed else [])])
    _write([("left out", note) for note in notes])


def write_json(path: Path, audited: Sequence[AuditedAction], notes: Sequence[str]) -> None:
    """Write the result to the file `path`.  Raises ConfigurationError."""
    value = {
        "wrong": sum(one.standing in WRONG for one in audited),
        "counts": dict(Counter(one.standing.value for one in audited)),
        "left_out": list(notes),
        "actions": [to_json(one) for one in audited],
    }
    try:
        path.write_text(json.dumps(value, indent=1) + "\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error


def _rows(one: AuditedAction) -> Iterator[tuple[str, str]]:
    yield one.action[:_SHOWN], "  ".join(filter(None, (one.standing.value, one.label)))
    if one.command:
        yield "", one.command
    for text in one.problems or ((one.reason,) if one.reason else ()):
        yield "", text
    for place in one.found[:_MOST_PLACES]:
        yield "", _describe(place)
    if len(one.found) > _MOST_PLACES:
        yield "", f"and {len(one.found) - _MOST_PLACES} more places"


def _describe(place: PlaceFound) -> str:
    where = " › ".join(filter(None, (place.output, place.place)))
    sure = "" if place.confirmed or place.cause == "unknown" else " (suspected)"
    values = f": {shorten(place.control, 80)} | {shorten(place.experiment, 80)}" if place.control else ""
    return f"{where}: {place.cause}{sure}{values}"


def _write(rows: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> None:
    if listed := list(rows):
        write_text(render_rows(listed, **page_style()))
