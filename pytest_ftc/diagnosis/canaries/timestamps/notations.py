"""The notations of times in text, as patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from pytest_ftc.diagnosis.canaries.timestamps.month_names import month_names

_CLOCK = rb"(?P<H>[012]?\d):(?P<M>[0-5]\d)(?::(?P<S>[0-6]\d)(?:[.,]\d{1,9})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
_ZONE = rb"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d'\d\d'?|[+-]\d\d)(?![0-9A-Za-z]))?"
_LONE = rb"(?<![0-9A-Za-z])"
_END = rb"(?![0-9A-Za-z])"
_YEAR_DIGITS = rb"(?P<Y>(?:19|20)\d\d)"
_MONTH_DIGITS, _DAY_DIGITS = rb"(?P<m>0[1-9]|1[0-2])", rb"(?P<d>0[1-9]|[12]\d|3[01])"
_LOOSE_MONTH, _LOOSE_DAY = rb"(?P<m>0?[1-9]|1[0-2])", rb"(?P<d>0?[1-9]|[12]\d|3[01])"
_NO_DIGIT = rb"(?<![0-9])"
_YEARS = _YEAR_DIGITS, rb"(?P<y>\d\d)"
_DAY_OF_YEAR = rb"(?P<j>0[1-9]\d|00[1-9]|[12]\d\d|3[0-5]\d|36[0-6])"
_HOUR, _MINUTE, _SECOND = rb"(?P<H>[01]\d|2[0-3])", rb"(?P<M>[0-5]\d)", rb"(?P<S>[0-6]\d)"
_NO_DIGIT_NEXT = rb"(?![0-9])"
_COMPACT_CLOCK = (
    rb"(?:[T_.-]?"
    + _HOUR
    + rb"(?P<c>[:_.-]?)"
    + _MINUTE
    + rb"(?:(?P=c)"
    + _SECOND
    + rb")?)?(?P<zone>Z)?"
    + _NO_DIGIT_NEXT
)


@cache
def patterns() -> tuple[re.Pattern[bytes], ...]:
    """Return the notations; their groups have the names of the directives of strftime(3), or longer ones."""
    name = rb"(?P<name>" + _any_of(sorted(month_names(), key=len, reverse=True)) + rb")\.?"
    named_day = rb"(?P<d>[12]\d|3[01]|0?[1-9])\.?"
    forms = (*_iso_forms(), *_named_forms(name, named_day), *_year_first_forms(name, named_day), *_short_forms(name))
    return tuple(re.compile(form) for form in (*forms, *_compact_forms(name)))


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


def _compact_forms(name: bytes) -> tuple[bytes, ...]:
    """Return the notations of versions and names of files, with few separators or years of two digits.

    As in strftime(3), ``j`` is the day of the year, ``V`` the week and ``u`` its day
    (ISO 8601-1:2019, 5.2.3 and 5.2.4).
    """
    several = (form for year in _YEARS for form in _forms_with(year, name))
    return (
        *several,
        # 2026-W49-2
        _NO_DIGIT + _YEAR_DIGITS + rb"-?W(?P<V>[0-4]\d|5[0-3])(?:-?(?P<u>[1-7]))?" + _END,
        # 2026.12, 202612, 26.12
        _NO_DIGIT + _YEAR_DIGITS + rb"[/_.]?" + _MONTH_DIGITS + _NO_DIGIT_NEXT,
        _NO_DIGIT + rb"(?P<y>\d\d)\." + _MONTH_DIGITS + rb"(?![0-9.])",
        # Dec-01-2026
        _LONE + name + rb"[_-]?" + _DAY_DIGITS + rb"[_-]" + _YEAR_DIGITS + _END,
        # 2026-Dec-01, 2026Dec01
        _LONE + _YEAR_DIGITS + rb"(?P<s>[ _-]?)" + name + rb"(?P=s)" + _DAY_DIGITS + _END,
        # 142537, 14.25.37, 14h25
        rb"(?<![0-9.-])" + _HOUR + rb"(?P<s>[_.-]?)" + _MINUTE + rb"(?P=s)" + _SECOND + rb"(?![0-9.-])",
        _LONE + _HOUR + rb"h" + _MINUTE + _END,
    )


def _forms_with(year: bytes, name: bytes) -> tuple[bytes, ...]:
    """Return the notations that may have a `year` of four digits or of two."""
    return (
        # 2026-12-01_14-25-37, 261201, 26.12.01, 261201.1425
        _NO_DIGIT + year + rb"(?P<s>[-_/.]?)" + _MONTH_DIGITS + rb"(?P=s)" + _DAY_DIGITS + _COMPACT_CLOCK,
        # 26335.1425, 2026-335
        _NO_DIGIT + year + rb"[-_/.]?" + _DAY_OF_YEAR + _COMPACT_CLOCK,
        # 01122026, 011226
        _NO_DIGIT + _DAY_DIGITS + _MONTH_DIGITS + year + _NO_DIGIT_NEXT,
        _NO_DIGIT + _MONTH_DIGITS + _DAY_DIGITS + year + _NO_DIGIT_NEXT,
        # 01Dec2026, 1 Dec 26, 01-Dec-26
        _LONE + rb"(?P<d>[12]\d|3[01]|0?[1-9])(?![0-9])[ _-]?" + name + rb"[ _-]?" + year + _END,
    )
