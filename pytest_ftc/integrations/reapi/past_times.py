"""How long builds took on a farm in earlier sessions: a file for each project and farm.

It only says when a build is late, and so is neither authenticated nor missed where it cannot be read or written.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.bounded_file import read_regular
from pytest_ftc.model.support.file_lock import locked

_LARGEST = 4 << 20
"""Bytes."""
_MOST_ARTIFACTS = 1000
_MOST_TIMES = 100
"""Of one artifact: the last ones."""


class PastTimes:
    """The seconds that builds of artifacts had a worker, in the file `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[float]] | None = None

    def of(self, artifact: str) -> Sequence[float]:
        """Return those of `artifact` in earlier sessions, oldest first."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(artifact, ())

    def add(self, times: Mapping[str, Sequence[float]]) -> None:
        """Add the `times` of this session, by artifact.  A file that cannot be written stays as it is."""
        new = {artifact: list(seconds) for artifact, seconds in times.items() if seconds}
        if not new:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with locked(f"{self._path}.lock"):
                known = self._read()
                for artifact, seconds in new.items():
                    # At the end again: the artifacts that were not built for the longest time are at the beginning.
                    known[artifact] = [*known.pop(artifact, ()), *seconds][-_MOST_TIMES:]
                kept = dict(list(known.items())[-_MOST_ARTIFACTS:])
                replace_file(self._path, json.dumps(kept).encode(), durable=False)

    def _read(self) -> dict[str, list[float]]:
        try:
            value = json.loads(read_regular(self._path, _LARGEST))
        except (OSError, ValueError, RecursionError):
            return {}
        entries = value.items() if isinstance(value, dict) else ()
        return {artifact: times for artifact, each in entries if (times := _times(each))}


def _times(value: Any) -> list[float]:
    """Return the times in `value`; none if it is not a list of times."""
    if not isinstance(value, list) or not all(map(_is_time, value)):
        return []
    return [float(each) for each in value[-_MOST_TIMES:]]


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf
