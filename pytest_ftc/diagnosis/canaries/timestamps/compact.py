"""Notations of times in versions and in names of files, which have few separators or years of two digits."""

from __future__ import annotations

_DIGITS = rb"(?<![0-9])"
_START, _END = rb"(?<![0-9A-Za-z])", rb"(?![0-9A-Za-z])"
_LONG_YEAR = rb"(?P<Y>(?:19|20)\d\d)"
_YEARS = _LONG_YEAR, rb"(?P<y>\d\d)"
_MONTH, _DAY = rb"(?P<m>0[1-9]|1[0-2])", rb"(?P<d>0[1-9]|[12]\d|3[01])"
_DAY_OF_YEAR = rb"(?P<j>0[1-9]\d|00[1-9]|[12]\d\d|3[0-5]\d|36[0-6])"
_HOUR, _MINUTE, _SECOND = rb"(?P<H>[01]\d|2[0-3])", rb"(?P<M>[0-5]\d)", rb"(?P<S>[0-6]\d)"
_CLOCK = rb"(?:[T_.-]?" + _HOUR + rb"(?P<c>[:_.-]?)" + _MINUTE + rb"(?:(?P=c)" + _SECOND + rb")?)"
_UTC = rb"(?P<zone>Z)?"


def compact_forms(name: bytes) -> tuple[bytes, ...]:
    """Return the notations as patterns; `name` is that of a month.

    The groups are the directives of strftime(3): ``j`` is the day of the year, ``V`` the week and ``u`` its day
    (ISO 8601-1:2019, 5.2.3 and 5.2.4).
    """
    several = (form for year in _YEARS for form in _forms_with(year, name))
    return (
        *several,
        # 2026-W49-2
        _DIGITS + _LONG_YEAR + rb"-?W(?P<V>[0-4]\d|5[0-3])(?:-?(?P<u>[1-7]))?" + _END,
        # 2026.12, 202612, 26.12
        _DIGITS + _LONG_YEAR + rb"[/_.]?" + _MONTH + rb"(?![0-9])",
        _DIGITS + rb"(?P<y>\d\d)\." + _MONTH + rb"(?![0-9.])",
        # Dec-01-2026
        _START + name + rb"[_-]?" + _DAY + rb"[_-]" + _LONG_YEAR + _END,
        # 2026-Dec-01, 2026Dec01
        _START + _LONG_YEAR + rb"(?P<s>[ _-]?)" + name + rb"(?P=s)" + _DAY + _END,
        # 142537, 14.25.37, 14h25
        rb"(?<![0-9.-])" + _HOUR + rb"(?P<s>[_.-]?)" + _MINUTE + rb"(?P=s)" + _SECOND + rb"(?![0-9.-])",
        _START + _HOUR + rb"h" + _MINUTE + _END,
    )


def _forms_with(year: bytes, name: bytes) -> tuple[bytes, ...]:
    """Return the notations that may have a `year` of four digits or of two."""
    return (
        # 2026-12-01_14-25-37, 261201, 26.12.01, 261201.1425
        _DIGITS + year + rb"(?P<s>[-_/.]?)" + _MONTH + rb"(?P=s)" + _DAY + _CLOCK + rb"?" + _UTC + rb"(?![0-9])",
        # 26335.1425, 2026-335
        _DIGITS + year + rb"[-_/.]?" + _DAY_OF_YEAR + _CLOCK + rb"?" + _UTC + rb"(?![0-9])",
        # 01122026, 011226
        _DIGITS + _DAY + _MONTH + year + rb"(?![0-9])",
        _DIGITS + _MONTH + _DAY + year + rb"(?![0-9])",
        # 01Dec2026, 1 Dec 26, 01-Dec-26
        _START + rb"(?P<d>[12]\d|3[01]|0?[1-9])(?![0-9])[ _-]?" + name + rb"[ _-]?" + year + _END,
    )
