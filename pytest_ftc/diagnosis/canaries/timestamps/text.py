"""Times in text."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from pytest_ftc.diagnosis.canaries.timestamps.compact import compact_forms
from pytest_ftc.diagnosis.canaries.timestamps.month_names import month_names

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
    """The number of its notation."""
    month: bytes = b""
    """The name of the month, if it has one."""

    @property
    def is_bare_year(self) -> bool:
        """Return whether it is only the number of a year."""
        return self.precision == _YEAR


_CLOCK = rb"(?P<H>[012]?\d):(?P<M>[0-5]\d)(?::(?P<S>[0-6]\d)(?:[.,]\d{1,9})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
_ZONE = rb"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d'\d\d'?|[+-]\d\d)(?![0-9A-Za-z]))?"
_LONE = rb"(?<![0-9A-Za-z])"
_END = rb"(?![0-9A-Za-z])"
_YEAR_DIGITS = rb"(?P<Y>(?:19|20)\d\d)"
_MONTH_DIGITS, _DAY_DIGITS = rb"(?P<m>0[1-9]|1[0-2])", rb"(?P<d>0[1-9]|[12]\d|3[01])"
_LOOSE_MONTH, _LOOSE_DAY = rb"(?P<m>0?[1-9]|1[0-2])", rb"(?P<d>0?[1-9]|[12]\d|3[01])"


@cache
def _patterns() -> tuple[re.Pattern[bytes], ...]:
    """Return the notations, numbered as in `Stamp.form`."""
    name = rb"(?P<name>" + _any_of(sorted(month_names(), key=len, reverse=True)) + rb")\.?"
    named_day = rb"(?P<d>[12]\d|3[01]|0?[1-9])\.?"
    forms = (*_iso_forms(), *_named_forms(name, named_day), *_year_first_forms(name, named_day), *_short_forms(name))
    return tuple(re.compile(form) for form in (*forms, *compact_forms(name)))


def _any_of(names: Sequence[bytes], depth: int = 2) -> bytes:
    """Return a pattern of any of the `names`, the first that fits.

    Those with the same first byte are one branch, as hundreds of branches at each position of a text take long.
    """
    groups: dict[bytes, list[bytes]] = {}
    for name in names:
        groups.setdefault(name[:1], []).append(name[1:])
    return b"|".join(re.escape(first) + _group(rests, depth - 1) for first, rests in groups.items())


def _group(names: Sequence[bytes], depth: int) -> bytes:
    inner = b"|".join(map(re.escape, names)) if not depth or not all(names) else _any_of(names, depth)
    return rb"(?:" + inner + rb")"


def _iso_forms() -> tuple[bytes, ...]:
    """Return the notations of ISO 8601 and of standards derived from it."""
    clock, zone = _CLOCK, _ZONE
    return (
        # The preamble of a DVI file, see tex.web, 617.
        rb"(?<![0-9])" + _YEAR_DIGITS + rb"\." + _MONTH_DIGITS + rb"\." + _DAY_DIGITS
        + rb":(?P<H>[01]\d|2[0-3])(?P<M>[0-5]\d)(?![0-9])",
        # ISO 8601, also with other separators.
        rb"(?<![0-9])" + _YEAR_DIGITS + rb"(?P<s>[-/.:])" + _LOOSE_MONTH + rb"(?P=s)" + _LOOSE_DAY
        + rb"(?:[T _]?[ T]?" + clock + zone + rb")?(?![0-9])",
        # Its basic form, the form of PDF (ISO 32000-1, 7.9.4), GeneralizedTime of ASN.1.
        rb"(?<![0-9])" + _YEAR_DIGITS + _MONTH_DIGITS + _DAY_DIGITS
        + rb"(?:[T_.-]?(?P<H>[01]\d|2[0-3])(?P<M>[0-5]\d)(?P<S>[0-6]\d)?" + zone + rb")?(?![0-9])",
        # UTCTime of ASN.1 has a year of two digits (X.680, 47).
        rb"(?<![0-9])(?P<y>\d\d)" + _MONTH_DIGITS + _DAY_DIGITS
        + rb"(?P<H>[01]\d|2[0-3])(?P<M>[0-5]\d)(?P<S>[0-6]\d)(?P<zone>Z|[+-]\d{4})",
        # A list of numbers: the date of an entry in Python's zipfile, repr() of a datetime.
        rb"(?<![0-9.])" + _YEAR_DIGITS + rb", ?" + _LOOSE_MONTH + rb", ?" + _LOOSE_DAY
        + rb"(?:, ?(?P<H>1?\d|2[0-3]), ?(?P<M>[1-5]?\d)(?:, ?(?P<S>[1-6]?\d))?)?(?![0-9.])",
    )  # fmt: skip


def _named_forms(name: bytes, named_day: bytes) -> tuple[bytes, ...]:
    """Return the notations with the name of the month that end with the year."""
    clock, zone = _CLOCK, _ZONE
    return (
        # RFC 2822 and date(1) in most of Europe.
        _LONE + named_day + rb"[ -]+(?:de )?" + name + rb",?[ -]+(?:de )?" + _YEAR_DIGITS
        + rb"(?:,? +" + clock + zone + rb")?" + _END,
        # __DATE__ (which pads the day with a space), "November 23, 2026".
        _LONE + name + rb" +" + named_day + rb",? " + _YEAR_DIGITS + rb"(?:,? " + clock + zone + rb")?" + _END,
        # The same with the day first, as in German and British English.
        _LONE + named_day + rb" " + name + rb" +" + clock
        + rb"(?: (?P<zone>UTC|GMT|[+-]\d\d(?::?\d\d)?)| [A-Z]{3,5})? " + _YEAR_DIGITS + _END,
        # __DATE__ __TIME__ as adjacent literals, without a space.
        _LONE + name + rb" +" + named_day + rb" " + _YEAR_DIGITS + clock,
        # asctime(3) and date(1), with a name or number of the zone before the year.
        _LONE + name + rb" +" + named_day + rb" " + clock
        + rb"(?: (?P<zone>UTC|GMT|[+-]\d\d(?::?\d\d)?)| [A-Z]{3,5})? " + _YEAR_DIGITS + _END,
    )  # fmt: skip


def _year_first_forms(name: bytes, named_day: bytes) -> tuple[bytes, ...]:
    """Return the notations of East Asia and Hungary, and of the logs of web servers."""
    clock, zone = _CLOCK, _ZONE
    return (
        # Chinese and Japanese, Korean, Hungarian.
        _YEAR_DIGITS + "年 *".encode() + _LOOSE_MONTH + "月 *".encode() + _LOOSE_DAY + "日".encode()
        + rb"(?:[^\d\n]{0,16}" + clock + zone + rb")?",
        _YEAR_DIGITS + "(?:년|\\.) *".encode() + _LOOSE_MONTH + "(?:월|\\.) *".encode() + _LOOSE_DAY
        + "(?:일|\\.)".encode() + rb"(?:[^\d\n]{0,24}" + clock + zone + rb")?",
        _LONE + _YEAR_DIGITS + rb"\. " + name + rb" " + named_day + rb"(?:,[^\d\n]{0,24}" + clock + zone + rb")?",
        # Common Log Format.
        _LONE + named_day + rb"/" + name + rb"/" + _YEAR_DIGITS + rb":" + clock + zone + _END,
    )  # fmt: skip


def _short_forms(name: bytes) -> tuple[bytes, ...]:
    """Return the notations of only numbers, and of parts of dates."""
    clock, zone = _CLOCK, _ZONE
    return (
        _LONE + _LOOSE_MONTH + rb"/" + _LOOSE_DAY + rb"/" + _YEAR_DIGITS + rb"(?:,? " + clock + zone + rb")?" + _END,
        _LONE + _LOOSE_DAY + rb"(?P<s>[./-])" + _LOOSE_MONTH + rb"(?P=s)" + _YEAR_DIGITS
        + rb"(?:,? " + clock + zone + rb")?" + _END,
        # Many locales have years of only two digits.
        _LONE + rb"(?P<d>0[1-9]|[12]\d|3[01])(?P<s>[./-])(?P<m>0[1-9]|1[0-2])(?P=s)(?P<y>\d\d)"
        + rb"(?:,? " + clock + zone + rb")?" + _END,
        _LONE + rb"(?P<m>0[1-9]|1[0-2])/(?P<d>0[1-9]|[12]\d|3[01])/(?P<y>\d\d)"
        + rb"(?:,? " + clock + zone + rb")?" + _END,
        # Also without a space: date +%b%Y.
        _LONE + name + rb"(?:,? +|-)?" + _YEAR_DIGITS + _END,
        rb"(?<![0-9])" + _YEAR_DIGITS + rb"-" + _MONTH_DIGITS + rb"(?![0-9-])",
        rb"(?<![0-9:.])" + clock + zone + rb"(?![0-9:])",
        _LONE + _YEAR_DIGITS + _END,
    )  # fmt: skip


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
    for number, pattern in enumerate(_patterns(), start=1):
        for match in pattern.finditer(text):
            stamp = _read(match, number)
            if stamp:
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
