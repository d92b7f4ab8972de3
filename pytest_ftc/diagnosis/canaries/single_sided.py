"""Values that only one of the builds can have written: a variable, its time zone, the width of its terminal."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.model import Cause, Strength, Suspicion

_ZONE = re.compile(rb"(?<![\w+:.-])(?:UTC|GMT|Z|[A-Z]{3,5}|[+-]\d\d(?::?\d\d|'\d\d'?)?)+(?![\w:.-])")
"""Names and offsets; those with apostrophes are of PDF (ISO 32000-2, 7.9.4)."""
_SPELLED = re.compile(rb"([+-])(\d\d)[:']?(\d\d)?'?$")
_NEARLY = 24
"""Most columns that wrapped lines leave empty."""


def find_lone_variables(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the names of variables that only one of the builds had."""
    sides = (
        (place.control, place.experiment, control.variables.keys() - experiment.variables.keys()),
        (place.experiment, place.control, experiment.variables.keys() - control.variables.keys()),
    )
    for own, other, names in sides:
        for name in sorted(names):
            word = name.encode("utf-8", "surrogateescape")
            if "CANARY" in name and word in own and word not in other:
                texts = (shown(word), "") if own is place.control else ("", shown(word))
                why = "it contains the name of a variable that only one build has"
                yield Sighting(Suspicion(Cause.ENVIRONMENT, Strength.CERTAIN, *texts, why), _all(place))


def find_zones(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield time zones of the builds, as names or offsets."""
    if control.utc_offset == experiment.utc_offset:
        return
    zones, their_zones = list(_ZONE.finditer(place.control)), list(_ZONE.finditer(place.experiment))
    for number, change in enumerate(place.changes):
        own = _zone_at(zones, change.start, change.end)
        theirs = _zone_at(their_zones, change.theirs, change.their_end)
        # Some programs write an offset with the sign of POSIX, by which zones west of Greenwich are positive.
        for sign, why in ((1, "it contains the time zone"), (-1, "it contains the time zone, with its sign reversed")):
            offsets = sign * control.utc_offset, sign * experiment.utc_offset
            if not (own and theirs and _is_ahead(own, offsets[0]) and _is_ahead(theirs, offsets[1])):
                continue
            suspicion = Suspicion(Cause.TIMEZONE, Strength.STRONG, shown(own), shown(theirs), why)
            yield Sighting(suspicion, frozenset({number}))


def _zone_at(zones: Sequence[re.Match[bytes]], start: int, end: int) -> bytes:
    """Return the first of `zones`, which are in order, that overlaps or touches the range from `start` to `end`."""
    first = bisect_left(zones, start, key=re.Match.end)
    return zones[first][0] if first < len(zones) and zones[first].start() <= end else b""


def _is_ahead(zone: bytes, seconds: int) -> bool:
    spelled = _SPELLED.search(zone)
    if not spelled:
        return zone in (b"UTC", b"GMT", b"Z") and seconds == 0
    offset = int(spelled[2]) * 3600 + int(spelled[3] or 0) * 60
    return (-offset if spelled[1] == b"-" else offset) == seconds


def find_width(one: bytes, other: bytes, control: Planted, experiment: Planted) -> Iterator[Suspicion]:
    """Yield a suspicion if the lines are as long as the terminal of each build is wide."""
    widths = [int(text) if text.isdigit() else 0 for text in (_columns(control), _columns(experiment))]
    if widths[0] == widths[1] or not all(widths) or b"\0" in one or b"\0" in other:
        return
    longest = [max(map(len, text.splitlines()), default=0) for text in (one, other)]
    fits = all(width - _NEARLY <= length <= width for width, length in zip(widths, longest, strict=True))
    if fits and abs(longest[0] - longest[1]) > _NEARLY // 2:
        own, theirs = (f"lines of up to {length} characters" for length in longest)
        why = "the lines are as long as each build's terminal is wide"
        yield Suspicion(Cause.TERMINAL, Strength.STRONG, own, theirs, why)


def _columns(planted: Planted) -> str:
    return planted.variables.get("COLUMNS", "")


def _all(place: AlignedPlace) -> frozenset[int]:
    return frozenset(range(len(place.changes)))
