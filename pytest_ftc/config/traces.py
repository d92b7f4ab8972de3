"""Reads ``[tool.ftc.traces]``: a file for the spans of a session.  Collectors are named by the variables ``OTEL_*``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.config.file import show
from pytest_ftc.config.location import Place
from pytest_ftc.config.table import find_table, read_text

TRACES = "traces"
"""The name of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesSettings:
    """Where traces go."""

    file: Path
    """OTLP in JSON, one request a line."""


def read_traces(place: Place, tables: Mapping[str, Any], root: Path) -> TracesSettings | None:
    """Return where the traces of a session with `tables` go; None if they have no such table.

    Raises ConfigurationError.
    """
    table, below = find_table(place, tables, TRACES, ("file",)), place.below(TRACES)
    if table is None:
        return None
    text = read_text(below, table, "file")
    if not text:
        below.fail("", "key 'file' is missing; expected a file such as 'traces.jsonl'", about="")
    file = (root / Path(text).expanduser()).absolute()
    if file.is_dir():
        below.fail("file", f"expected a file, found {show(text)}, which is a folder")
    return TracesSettings(file=file)
