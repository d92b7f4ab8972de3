"""The file of the seconds that artifacts take, by which they are divided.

It is a file, and not the store of the machine, since all jobs must divide in the same way: their stores may have been
restored at different times, and an artifact that each leaves to another one would be verified nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.bounded_file import read_regular

_VERSION = 1
_MOST_BYTES = 64 << 20
_LONGEST = 1e8
"""Seconds, three years: sums of them remain exact."""
_FURTHER = re.compile(r" \([0-9]+\)$")
"""What the ID of a test has for its second build and those after it."""


def read_durations(file: Path) -> dict[str, float]:
    """Return the seconds that artifacts take, by ID, as `file` has them.  Raises ConfigurationError."""
    try:
        document = json.loads(read_regular(file, _MOST_BYTES))
    except (OSError, RecursionError, ValueError) as error:
        why = getattr(error, "strerror", None) or f"no valid JSON: {error}"
        raise ConfigurationError(f"{file}: {why}", advice=_ADVICE) from None
    seconds = document.get("seconds") if isinstance(document, dict) else None
    if not isinstance(seconds, dict) or document.get("version") != _VERSION or not all(map(_is_time, seconds.values())):
        raise ConfigurationError(f"{file}: expected version {_VERSION} and the seconds of artifacts", advice=_ADVICE)
    return {name: float(time) for name, time in seconds.items()}


_ADVICE = "ftc history --durations prints such a file."


def write_durations(sessions: Mapping[str, Sequence[float]]) -> str:
    """Return the file for what the builds of each artifact have taken together, in each of its last `sessions`.

    What counts is the median; of a test, all its builds.
    """
    seconds: dict[str, float] = {}
    for id_, times in sorted(sessions.items()):
        own = id_ if is_declared(id_) else _FURTHER.sub("", id_)
        seconds[own] = seconds.get(own, 0.0) + median(times)
    rounded = {id_: round(time, 1) for id_, time in seconds.items()}
    return json.dumps({"version": _VERSION, "seconds": rounded}, indent=1, sort_keys=True) + "\n"


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LONGEST
