"""Measured durations: numbers with a word or a unit of time, and shorter than the build took."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.values import touches
from pytest_ftc.model import Cause, Strength, Suspicion
from pytest_ftc.model.place import KEYED

_NUMBER = re.compile(rb"(?<![0-9A-Za-z_.:/-])[0-9]{1,15}(?:\.[0-9]{1,20})?(?:[eE]-?[0-9]{1,2})?(?![0-9_:/-])")
_UNITS: Mapping[bytes, float] = {
    b"ns": 1e-9, b"nanosecond": 1e-9, b"us": 1e-6, b"\xc2\xb5s": 1e-6, b"usec": 1e-6, b"microsecond": 1e-6,
    b"ms": 1e-3, b"msec": 1e-3, b"milli": 1e-3, b"millisecond": 1e-3, b"s": 1.0, b"sec": 1.0, b"second": 1.0,
    b"m": 60.0, b"min": 60.0, b"minute": 60.0,
}  # fmt: skip
_LONGEST_FIRST: list[bytes] = sorted(_UNITS, key=len, reverse=True)
_UNIT = b"|".join(_LONGEST_FIRST)
_AFTER = re.compile(rb"[ \t]?(" + _UNIT + rb")s?(?![0-9A-Za-z_])")
_WORDS = rb"(?P<sure>duration|elapsed|took|runtime|run[ _-]time|wall|cpu[ _-]?time|build[ _-]?time)|time|(?P<bare>\bin)"
_BEFORE = re.compile(
    rb"(?i)(?:" + _WORDS + rb")(?:[ _-]?(?P<unit>" + _UNIT + rb")s?)?\]?\)?[\"']?[ \t]*[=:]?>?[ \t]*[\"']?\Z"
)
_ABOUT = 40
"""Bytes searched before a number."""
_SLACK = 0.5
"""Seconds by which the known length of a build may be too short."""
_WHY = "both are measured durations, shorter than the builds took"


def find_durations(place: AlignedPlace, location: str, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the numbers in `place` that are measured durations; its `location` may name the key of a value."""
    key = location.encode("utf-8", "surrogateescape") if location.startswith(KEYED) else b""
    words, others = list(_NUMBER.finditer(place.control)), list(_NUMBER.finditer(place.experiment))
    for number, change in enumerate(place.changes):
        own = [one for one in words if touches(one.span(), change.start, change.end)]
        theirs = [one for one in others if touches(one.span(), change.theirs, change.their_end)]
        for one, other in zip(own, theirs, strict=False) if len(own) == len(theirs) else ():
            if one[0] != other[0] and _is_duration(one, key, control) and _is_duration(other, key, experiment):
                suspicion = Suspicion(Cause.DURATION, Strength.STRONG, shown(one[0]), shown(other[0]), _WHY)
                yield Sighting(suspicion, frozenset({number}))


def _is_duration(number: re.Match[bytes], key: bytes, planted: Planted) -> bool:
    start = number.string[max(0, number.start() - _ABOUT) : number.start()]
    before = _BEFORE.search(start if start.strip(b"\"' \t") else key)
    after = _AFTER.match(number.string, number.end())
    fraction = not number[0].isdigit()
    named = before is not None and not before["bare"] and bool(fraction or before["unit"] or before["sure"])
    # A number beside "time" alone may be an hour, and one before an "s" may be anything.
    if not named and not (after and (fraction or before)):
        return False
    unit = after[1] if after else before["unit"] if before else None
    seconds = float(number[0]) * (_UNITS[unit.lower()] if unit else 1.0)
    return seconds <= planted.real.end - planted.real.start + _SLACK
