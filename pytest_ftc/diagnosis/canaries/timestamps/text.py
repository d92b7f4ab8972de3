"""Times in text."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from pytest_ftc.diagnosis.canaries.timestamps.month_names import month_names
from pytest_ftc.diagnosis.canaries.timestamps.notations import patterns

DAY = 86400.0
_WEEK, _MONTH, _YEAR = 7 * DAY, 31 * DAY, 366 * DAY


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in some notation."""

    start: int
    """Position in the text, like `end`."""
    end: int
    seconds: float
    """Since 1970 in UTC (or as if in UTC if there is no zone); since midnight if there is no date."""
    precision: float
    """Seconds that the notation leaves open."""
    zone: int | None = None
    """Seconds ahead of UTC; None if unknown."""
    cycle: float = 0.0
    """Seconds after which the same text recurs; 0 for never."""
    form: int = 0
    """The number of its notation, the first of those that read it."""
    month: bytes = b""
    """The name of the month, if it has one."""

    @property
    def is_bare_year(self) -> bool:
        """Return whether it is only the number of a year."""
        return self.precision == _YEAR


_NUMBER = re.compile(rb"(?<![0-9.])(?:\d{9,10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{18,19})(?![0-9])")
# Seconds since 1970, with a digit or two of something else right behind them.
_GLUED = re.compile(rb"(?<![0-9.])[1-9][0-9]{9}(?=[0-9]{1,2}(?![0-9]))")
_UNITS = {9: 1, 10: 1, 13: 1000, 16: 1_000_000, 18: 10**9, 19: 10**9}
# uniqid() in PHP begins with the seconds in hexadecimal.
_HEX = re.compile(rb"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{8})(?:[0-9a-f]{5}|[uUlL]{1,3})?(?![0-9A-Za-z])")
# Date.now().toString(36) in JavaScript, at the beginning of an identifier; those of cuid have a c before it.
_BASE_36 = re.compile(rb"(?<![0-9A-Za-z])c?([0-9a-z]{8})")


def find_stamps(text: bytes) -> Iterator[Stamp]:
    """Yield all possible times in `text`, including overlapping ones."""
    known: set[Stamp] = set()
    for number, pattern in enumerate(patterns(), start=1):
        for match in pattern.finditer(text):
            stamp = _read(match, number)
            # Several notations may read the same.
            if stamp and (plain := replace(stamp, form=0)) not in known:
                known.add(plain)
                yield stamp
                written = stamp.seconds + (stamp.zone or 0)
                if stamp.precision == 1.0 and not stamp.cycle and written % DAY == 0:
                    # Midnight to the second is mostly a date that was made a time.
                    yield replace(stamp, seconds=written, zone=None, precision=DAY)
    for match in _NUMBER.finditer(text):
        digits = match[0].partition(b".")[0]
        yield Stamp(*match.span(), int(digits) // _UNITS[len(digits)], 1.0, zone=0)
    for match in _GLUED.finditer(text):
        yield Stamp(*match.span(), int(match[0]), 1.0, zone=0)
    for match in _HEX.finditer(text):
        yield Stamp(*match.span(), int(match[1], 16), 1.0, zone=0)
    for match in _BASE_36.finditer(text):
        yield Stamp(*match.span(1), int(match[1], 36) // 1000, 1.0, zone=0)


def _read(match: re.Match[bytes], form: int) -> Stamp | None:
    found = {key: value for key, value in match.groupdict().items() if value is not None}
    clock = _seconds_of_day(found)
    if clock is None:
        return None
    zone = _read_zone(found["zone"]) if "zone" in found else None
    precision = 1.0 if "S" in found else 60.0 if "M" in found else DAY
    if "Y" not in found and "y" not in found:
        seconds = (clock - (zone or 0)) % DAY
        return Stamp(*match.span(), seconds, precision, zone, cycle=DAY, form=form)
    days = _days(found)
    if days is None:
        return None
    if found.keys().isdisjoint(("d", "j", "u")):
        precision = _WEEK if "V" in found else _MONTH if "m" in found or "name" in found else _YEAR
    month = found.get("name", b"")
    return Stamp(*match.span(), days * DAY + clock - (zone or 0), precision, zone, form=form, month=month)


def _seconds_of_day(found: dict[str, bytes]) -> int | None:
    hour = int(found.get("H", 0))
    if "half" in found:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in b"Pp" else 0)
    seconds = hour * 3600 + int(found.get("M", 0)) * 60 + int(found.get("S", 0))
    return seconds if hour < 24 else None


def _days(found: dict[str, bytes]) -> int | None:
    """Return the days from 1970 to the date; None if there is no such date."""
    year = int(found["Y"]) if "Y" in found else 1900 + int(found["y"]) + (100 if int(found["y"]) < 50 else 0)
    if "V" in found:
        return _days_of_week(year, int(found["V"]), int(found.get("u", 1)))
    if "j" in found:
        number = int(found["j"])
        return calendar.timegm((year, 1, number, 0, 0, 0)) // 86400 if number <= 365 + calendar.isleap(year) else None
    month = month_names()[found["name"]][0][1] if "name" in found else int(found.get("m", 1))
    day = int(found.get("d", 1))
    if day > calendar.monthrange(year, month)[1]:
        return None
    return calendar.timegm((year, month, day, 0, 0, 0)) // 86400


def _days_of_week(year: int, week: int, day: int) -> int | None:
    try:
        return (date.fromisocalendar(year, week, day) - date(1970, 1, 1)).days
    except ValueError:
        return None


def _read_zone(text: bytes) -> int:
    digits = re.sub(rb"[^0-9]", b"", text)
    if not digits:
        return 0
    seconds = int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60
    return -seconds if text.startswith(b"-") else seconds
