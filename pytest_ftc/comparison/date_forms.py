"""The forms that a date may have in an output, from the year to the seconds of a day.

The vaguer a form is, the stricter its conditions: a full date counts anywhere, a year or a month only as a separate
word, the name of a day or month only in a short text that names no other, and a number of two or three digits only
where there is hardly anything else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

_FULL = (
    "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%b %d %Y",
    "%b %e %Y", "%b %d, %Y", "%b %e, %Y", "%d %b %Y", "%e %b %Y", "%d-%b-%Y", "%B %d, %Y", "%B %e, %Y", "%d %B %Y",
    "%e %B %Y", "%Y-%j", "%G-W%V",
)  # fmt: skip
_WORDS = (
    "%B %Y", "%b %Y", "%b-%Y", "%Y %b", "%Y-%m", "%Y/%m", "%Y.%m", "%m/%Y", "%Y%m", "%y%m%d", "%d%m%y", "%Y%j",
    "%d%m%Y", "%m%d%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%y-%m-%d", "%b %d", "%b %e", "%d %b", "%e %b", "%B %d",
    "%B %e", "%d %B", "%e %B", "%e. %B", "%d. %B", "%Y",
)  # fmt: skip
_SHORT = ("%m-%d", "%d-%m", "%m/%d", "%d/%m", "%m%d", "%d%m", "%m %d", "%d %m")
_SECONDS = re.compile(r"\A\d{1,11}\Z|(?<!\d)\d{9,11}(?!\d)", re.ASCII)
_TINY = ("%j", "%V", "W%V", "%U", "%W", "%y", "%m", "%d", "%H")
_NAMES = (
    tuple(time.strftime("%A", (2024, 1, 1, 0, 0, 0, day, 1, 0)) for day in range(7)),
    tuple(time.strftime("%B", (2024, month, 1, 0, 0, 0, 0, 1, 0)) for month in range(1, 13)),
)
_MONTH = re.compile(rb"(?i)\b(%s)" % b"|".join(name[:3].encode() for name in _NAMES[1]))
_MOST_MEDIUM, _MOST_SHORT, _MOST_TINY = 1 << 16, 4096, 64
_DAY = 86400
_SPANS = (7, 30, 365)
_UNITS = (60, 3600, 100, 1000, 10_000, 100_000)
_FIRST_DAYS = (0, 25569, 40587, 2440587, 2440588)
"""1970-01-01 as days since 1970, as a spreadsheet's serial date, as modified Julian date, and as Julian date."""
_YEAR = rb"(?i)(?:copyright|copr\.|\(c\)|\xc2\xa9|&copy;|year|date|built|generated|released?|version).{0,40}"
# Nothing continues the word on either side, not even digits after a punctuation mark, as in 2026.1 or 1:2026.
_BEFORE, _AFTER = rb"(?<![0-9A-Za-z_])(?<![0-9][-./,:])", rb"(?![0-9A-Za-z_])(?![-./,:][0-9])"
# Control characters, and bytes that neither end nor begin a character of UTF-8.
_NO_CODE_BEFORE = rb"(?<![\x01-\x08\x0e-\x1f\x7f\xc0-\xff])"
_NO_CODE_AFTER = rb"(?![\x01-\x08\x0e-\x1f\x7f-\xc1\xf5-\xff])"


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a date, and how to find it."""

    key: bytes
    """Bytes that every match contains, as a quick test."""
    pattern: re.Pattern[bytes]
    text: str
    """The name to report; if empty, the matched text."""
    most: int = 0
    """Size in bytes of the largest text in which a match counts; 0 means any size."""
    holds: Callable[[re.Match[bytes]], bool] = bool


def make_forms(
    moments: Iterable[float], explained: Mapping[str, str], *, numbers: bool = True, known: Collection[int] = ()
) -> tuple[Form, ...]:
    """Return the forms of the real `moments`, in seconds since 1970, that match no value of the variables `explained`.

    Times to the second that are `known`, such as that of the commit, do not count.  Without `numbers`, numbers of two
    or three digits are omitted.
    """
    # Also those within options, such as --mtime=@1700000000.
    given = [int(number) for value in explained.values() for number in _SECONDS.findall(value)]
    moments = tuple(moments)
    days = {int(moment) // _DAY for moment in moments} - {moment // _DAY for moment in given}
    exact = [time.gmtime(day * _DAY) for day in sorted(days)]
    texts = {time.strftime(form, time.gmtime(moment)) for moment in given for form in (*_FULL, *_WORDS)}
    forms = [
        *(_full(text) for text in _texts(_FULL, exact)),
        *(_word(text, _bound(text)) for text in [*_texts(_WORDS, exact), *_counts(moments, days)]),
        *(_year(text) for text in _texts(("%Y",), exact)),
        *(_word(text, _MOST_SHORT) for text in _texts(_SHORT, exact)),
        *(form for when in exact for form in _names(when)),
        *(form for day in sorted(days) for form in _structures(day, known)),
    ]
    if numbers:
        hours = [time.gmtime(moment) for moment in moments if int(moment) // _DAY in days]
        spans = [str(day // length) for day in sorted(days) for length in _SPANS]
        forms += [_number(text) for text in [*_texts(_TINY, hours), *dict.fromkeys(spans)]]
    values = [value.encode(errors="surrogateescape") for value in explained.values()]
    return tuple(
        form for form in forms if form.text not in texts and not any(_matches(form, value) for value in values)
    )


def find_forms(data: bytes, size: int, forms: Iterable[Form]) -> Iterator[str]:
    """Yield the texts of the `forms` found in `data`, which is part of a file or member of `size` bytes."""
    for form in forms:
        if (not form.most or size <= form.most) and form.key in data:
            for match in form.pattern.finditer(data):
                if form.holds(match):
                    yield form.text or match[0].decode("ascii", "replace")
                    break


def screen_large(forms: Iterable[Form]) -> tuple[int, re.Pattern[bytes]]:
    """Return a size in bytes, and a pattern that is in every larger text in which one of the `forms` counts.

    One search for it takes a fraction of the time that those for all of them take.
    """
    forms = tuple(forms)
    roots: list[bytes] = []
    for key in sorted({form.key for form in forms if not form.most}, key=len):
        if not any(root in key for root in roots):
            roots.append(key)
    return max((form.most for form in forms), default=0), re.compile(b"|".join(map(re.escape, roots)))


def _counts(moments: Iterable[float], days: Container[int]) -> list[str]:
    """Return the real `moments` in hours, minutes and powers of ten of seconds, and in days since some dates."""
    counts: dict[int, None] = {}
    for moment in moments:
        day = int(moment) // _DAY
        if day in days:
            counts.update(dict.fromkeys(day + first for first in _FIRST_DAYS))
            counts.update(dict.fromkeys(int(moment) // unit for unit in _UNITS))
    return list(map(str, counts))


def _matches(form: Form, data: bytes) -> bool:
    return any(True for _ in find_forms(data, 0, [form]))


def _texts(forms: Iterable[str], moments: Iterable[time.struct_time]) -> list[str]:
    return list(dict.fromkeys(time.strftime(form, when).strip() for when in moments for form in forms))


def _full(text: str) -> Form:
    return Form(text.encode(), re.compile(re.escape(text.encode())), text)


def _word(text: str, most: int = 0) -> Form:
    # A month and day followed by another year is a different date.
    after = _AFTER if text[-4:].isdigit() or text.isdigit() else _AFTER + rb"(?!,? [0-9]{4}(?![0-9]))"
    return Form(text.encode(), re.compile(_BEFORE + re.escape(text.encode()) + after), text, most)


def _bound(text: str) -> int:
    """Return the size above which a text may contain such a number by chance; 0 if no size does."""
    if not text.isdigit() or len(text) > 6:
        return 0
    return _MOST_SHORT if len(text) == 5 else _MOST_MEDIUM


def _year(text: str) -> Form:
    """Return the form of a year after a word such as "copyright", which counts in a text of any size."""
    # The year may end a range: 2020-2026.
    before = rb"(?:" + _BEFORE + rb"|(?<=\b[0-9]{4}-))"
    pattern = re.compile(_YEAR + before + text.encode() + _AFTER, re.DOTALL)
    return Form(text.encode(), pattern, text)


def _number(text: str) -> Form:
    return replace(_word(text, _MOST_TINY), holds=_is_only_number)


def _is_only_number(match: re.Match[bytes]) -> bool:
    return len(re.findall(rb"[0-9]+", match.string)) == 1 and not _MONTH.search(match.string)


def _names(when: time.struct_time) -> Iterator[Form]:
    """Yield the full and short names of the weekday and the month; a text with other names as well is a table."""
    for names, index in zip(_NAMES, (when.tm_wday, when.tm_mon - 1), strict=True):
        for length in (3, None):
            name = names[index][:length]
            others = b"|".join(other[:3].encode() for place, other in enumerate(names) if place != index)
            others += rb"|(?:19|20)(?!%02d)[0-9]{2}\b" % (when.tm_year % 100)
            # Code has the bytes of three letters by chance, in mixed case or beside what is no text.
            written = "|".join(dict.fromkeys((name, name.lower(), name.upper()))).encode()
            pattern = _BEFORE + _NO_CODE_BEFORE + rb"(?:" + written + rb")(?![0-9A-Za-z_])" + _NO_CODE_AFTER
            yield Form(b"", re.compile(pattern), name, _MOST_SHORT, _alone(re.compile(rb"(?i)\b(" + others + rb")")))


def _alone(others: re.Pattern[bytes]) -> Callable[[re.Match[bytes]], bool]:
    return lambda match: not others.search(match.string)


def _structures(day: int, known: Collection[int]) -> Iterator[Form]:
    """Yield timestamps in file formats (zip, tar, gzip, cpio), and decimal seconds or milliseconds since 1970.

    Those that are `known` to the second do not count.
    """

    def is_on(seconds: int) -> bool:
        return seconds // _DAY == day and seconds not in known

    date = time.strftime("%Y-%m-%d", time.gmtime(day * _DAY))
    yield from _zip_entries(day, known)
    # In a tar header, mtime is at offset 136 and "ustar" at 257 (POSIX pax, "ustar Interchange Format").
    tar = re.compile(rb"([0-7]{11})[ \0].{109}ustar", re.DOTALL)
    yield Form(b"ustar", tar, f"{date} as the mtime of a tar entry", holds=lambda match: is_on(int(match[1], 8)))
    # MTIME is at offset 4 (RFC 1952 2.3).
    gzip = re.compile(rb"\A\x1f\x8b\x08.(.{4})", re.DOTALL)
    yield Form(
        b"\x1f\x8b\x08",
        gzip,
        f"{date} as the mtime of a gzip file",
        holds=lambda match: is_on(int.from_bytes(match[1], "little")),
    )
    # c_mtime is the sixth field of eight hexadecimal digits after the magic number (cpio(5), "New ASCII Format").
    cpio = re.compile(rb"07070[12].{40}([0-9A-Fa-f]{8})", re.DOTALL)
    yield Form(b"07070", cpio, f"{date} as the mtime of a cpio entry", holds=lambda match: is_on(int(match[1], 16)))
    # Seven fields of six octal digits are before it (POSIX pax, "cpio Interchange Format").
    odc = re.compile(rb"070707[0-7]{42}([0-7]{11})")
    yield Form(b"070707", odc, f"{date} as the mtime of a cpio entry", holds=lambda match: is_on(int(match[1], 8)))
    first, last = str(day * _DAY), str(day * _DAY + _DAY - 1)
    common = next((first[:length] for length in range(6, 2, -1) if first[:length] == last[:length]), "")
    seconds = re.compile(
        rb"(?<![0-9A-Za-z_])(%s[0-9]{%d})([0-9]{3})?(?![0-9A-Za-z_])" % (common.encode(), 10 - len(common))
    )
    yield Form(common.encode(), seconds, "", holds=lambda match: is_on(int(match[1])))


def _zip_entries(day: int, known: Collection[int]) -> Iterator[Form]:
    """Yield the date of a zip entry; its time of day is in steps of two seconds (APPNOTE 4.4.6)."""
    when = time.gmtime(day * _DAY)
    dos = ((when.tm_year - 1980) << 9 | when.tm_mon << 5 | when.tm_mday).to_bytes(2, "little")
    moments = [time.gmtime(moment) for moment in known if moment // _DAY == day]
    clocks = {(one.tm_hour << 11 | one.tm_min << 5 | one.tm_sec // 2).to_bytes(2, "little") for one in moments}
    # The time is at offset 10 of a local header, 12 of a central one (APPNOTE 4.3.7 and 4.3.12), the date after it.
    for mark, gap in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        pattern = re.compile(re.escape(mark) + b".{%d}(..)" % gap + re.escape(dos), re.DOTALL)
        text = time.strftime("%Y-%m-%d as the date of a zip entry", when)
        yield Form(mark, pattern, text, holds=lambda match: match[1] not in clocks)
