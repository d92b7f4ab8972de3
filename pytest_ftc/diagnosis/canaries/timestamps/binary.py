"""Times in binary formats."""

from __future__ import annotations

import calendar
import math
import struct
from collections.abc import Callable, Iterator

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, Change
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting
from pytest_ftc.diagnosis.canaries.timestamps.clocks import Judge
from pytest_ftc.diagnosis.canaries.timestamps.text import Stamp
from pytest_ftc.model import Suspicion

_1601 = 11_644_473_600
"""Seconds from the epoch of FILETIME (MS-DTYP, 2.3.3) to 1970."""
_1904 = 2_082_844_800
"""Seconds from the epoch of HFS and of TrueType's LONGDATETIME to 1970."""
_2001 = 978_307_200
"""Seconds from 1970 to the epoch of Apple's absolute time, as in property lists."""
_PLAUSIBLE = (631_152_000, 2_524_608_000)
"""From 1990 to 2050."""
_LONGEST = 2048
"""Longest change, in bytes, in which every position is tried."""
_NEAR = 3600.0

Read = Callable[[bytes], float]


def _dos(data: bytes) -> float:
    """Read MS-DOS time and date, in local time (PKWARE's APPNOTE.TXT, 4.4.6)."""
    clock, date = struct.unpack("<HH", data)
    month, day = date >> 5 & 15, date & 31
    hour, minute = clock >> 11, clock >> 5 & 63
    if not (1 <= month <= 12 and day and hour < 24 and minute < 60 and (clock & 31) < 30):
        return math.nan
    return calendar.timegm((1980 + (date >> 9), month, day, hour, minute, (clock & 31) * 2))


def _of_day(days: float) -> float:
    """Return the time of an OLE automation date (MS-OAUT, 2.2.25): days since 1899-12-30."""
    return (days - 25_569) * 86400


def _integer(size: int, order: str, unit: int, epoch: int = 0) -> Read:
    little = order == "little"
    return lambda data: int.from_bytes(data, "little" if little else "big") / unit - epoch


_ENCODINGS: tuple[tuple[str, int, Read, int | None], ...] = (
    *(
        (f"{name}, {order}-endian", size, _integer(size, order, unit, epoch), 0)
        for order in ("little", "big")
        for name, size, unit, epoch in (
            ("seconds since 1970 in 32 bits", 4, 1, 0),
            ("seconds since 1970 in 64 bits", 8, 1, 0),
            ("milliseconds since 1970", 8, 1000, 0),
            ("microseconds since 1970", 8, 1_000_000, 0),
            ("nanoseconds since 1970", 8, 10**9, 0),
            ("FILETIME", 8, 10**7, _1601),
            ("seconds since 1904 in 32 bits", 4, 1, _1904),
            ("seconds since 1904 in 64 bits", 8, 1, _1904),
        )
    ),
    ("MS-DOS date and time", 4, _dos, None),
    ("seconds since 1970 as a floating-point number", 8, lambda data: float(struct.unpack("<d", data)[0]), 0),
    ("seconds since 1970 as a floating-point number", 8, lambda data: float(struct.unpack(">d", data)[0]), 0),
    ("seconds since 2001 as a floating-point number", 8, lambda data: struct.unpack("<d", data)[0] + _2001, 0),
    ("seconds since 2001 as a floating-point number", 8, lambda data: struct.unpack(">d", data)[0] + _2001, 0),
    ("days since 1899 as a floating-point number", 8, lambda data: _of_day(struct.unpack("<d", data)[0]), 0),
    ("days since 1899 as a floating-point number", 8, lambda data: _of_day(struct.unpack(">d", data)[0]), 0),
)
"""Its description, its size in bytes, how to read it, and its time zone."""


class BinaryClock:
    """Finds stored times of two builds."""

    def __init__(self, control: Planted, experiment: Planted) -> None:
        self._judge = Judge(control, experiment)
        zone = experiment.utc_offset - control.utc_offset
        long = max(planted.clock.end - planted.clock.start for planted in (control, experiment))
        leeway = long + 8
        clock = experiment.clock.start - control.clock.start
        real = experiment.real.start - control.real.start
        sources = experiment.source_mtime_shift - control.source_mtime_shift
        self._lengths = [
            (length + add - leeway, length + add + leeway)
            for length in {clock, real, sources, -sources}
            for add in {0, zone}
        ]

    def find(self, place: AlignedPlace) -> Iterator[Sighting]:
        """Yield the stored times in the differences of `place`."""
        for number, change in enumerate(place.changes):
            yield from self._search(place, number, change)

    def _search(self, place: AlignedPlace, number: int, change: Change) -> Iterator[Sighting]:
        for position, theirs in _positions(change):
            for name, size, read, zone in _ENCODINGS:
                one, other = place.control[position : position + size], place.experiment[theirs : theirs + size]
                if position + size > change.start and len(one) == len(other) == size and one != other:
                    yield from self._compare(name, read, zone, one, other, number)

    def _compare(
        self, name: str, read: Read, zone: int | None, one: bytes, other: bytes, number: int
    ) -> Iterator[Sighting]:
        a, b = read(one), read(other)
        if not (_PLAUSIBLE[0] < a < _PLAUSIBLE[1] and _PLAUSIBLE[0] < b < _PLAUSIBLE[1]):
            return
        if not any(low <= b - a <= high for low, high in self._lengths):
            return
        precision = 1.0 if zone is not None else 2.0
        stamps = (Stamp(0, len(one), float(int(value)), precision, zone) for value in (a, b))
        for cause, strength, why in self._judge.judge(*stamps):
            texts = (f"{one.hex()} ({int(a)})", f"{other.hex()} ({int(b)})")
            yield Sighting(Suspicion(cause, strength, *texts, f"{why} ({name})"), frozenset({number}))


def _positions(change: Change) -> Iterator[tuple[int, int]]:
    """Yield the positions in both at which a number that contains the change may begin."""
    for position in range(max(0, change.start - 7), min(change.end, change.start + _LONGEST)):
        theirs = change.theirs + position - change.start
        if 0 <= theirs < change.their_end:
            yield position, theirs
