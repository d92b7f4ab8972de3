"""Times in binary formats."""

from __future__ import annotations

import calendar
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, Change
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting
from pytest_ftc.diagnosis.canaries.timestamps.clocks import Judge, Verdict
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


@dataclass(frozen=True, slots=True)
class _Encoding:
    """How a number stands for a time: so many units since an epoch."""

    name: str
    low: float
    """The number that stands for the begin of the plausible years, like `high` for their end."""
    high: float
    read: Callable[[float], float]
    """Returns the seconds since 1970."""
    zone: int | None = 0


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers of one size and order of bytes, and what times they may be."""

    size: int
    read: Read
    encodings: tuple[_Encoding, ...]
    low: float
    """No smaller number is a time in any of the `encodings`, and none above `high`."""
    high: float


def _numbers(size: int, read: Read, *encodings: _Encoding) -> _Numbers:
    bounds = min(one.low for one in encodings), max(one.high for one in encodings)
    return _Numbers(size, read, encodings, *bounds)


def _since(name: str, unit: int = 1, epoch: int = 0) -> _Encoding:
    """Return the encoding of times in parts of a second of which there are `unit`; `epoch` is that of 1970 in it."""
    low, high = ((moment + epoch) * unit for moment in _PLAUSIBLE)
    return _Encoding(name, low, high, lambda number: number / unit - epoch)


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


def _integers(order: Literal["little", "big"]) -> tuple[_Numbers, _Numbers]:
    read: Read = partial(int.from_bytes, byteorder=order)
    end = f", {order}-endian"
    of_32_bits = (
        _since(f"seconds since 1970 in 32 bits{end}"),
        _since(f"seconds since 1904 in 32 bits{end}", epoch=_1904),
    )
    of_64_bits = (
        _since(f"seconds since 1970 in 64 bits{end}"),
        _since(f"milliseconds since 1970{end}", 1000),
        _since(f"microseconds since 1970{end}", 1_000_000),
        _since(f"nanoseconds since 1970{end}", 10**9),
        _since(f"FILETIME{end}", 10**7, _1601),
        _since(f"seconds since 1904 in 64 bits{end}", epoch=_1904),
    )
    return _numbers(4, read, *of_32_bits), _numbers(8, read, *of_64_bits)


def _floats(form: str) -> _Numbers:
    unpack = struct.Struct(form).unpack
    end = "as a floating-point number"
    low, high = (moment / 86400 + 25_569 for moment in _PLAUSIBLE)
    return _numbers(
        8,
        lambda data: float(unpack(data)[0]),
        _since(f"seconds since 1970 {end}"),
        _since(f"seconds since 2001 {end}", epoch=-_2001),
        _Encoding(f"days since 1899 {end}", low, high, _of_day),
    )


_NUMBERS = (
    *_integers("little"),
    *_integers("big"),
    _numbers(4, _dos, _Encoding("MS-DOS date and time", *_PLAUSIBLE, lambda seconds: seconds, zone=None)),
    _floats("<d"),
    _floats(">d"),
)
_BY_SIZE = {size: [kind for kind in _NUMBERS if kind.size == size] for size in (4, 8)}


class BinaryClock:
    """Finds stored times of two builds."""

    def __init__(self, control: Planted, experiment: Planted) -> None:
        self._judge = Judge(control, experiment)
        self._known: dict[tuple[int, int, int | None, int], Sequence[Verdict]] = {}
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
        known: dict[tuple[int, int], Sequence[tuple[int, Suspicion]]] = {}
        for number, change in enumerate(place.changes):
            for at in _positions(change):
                # Changes are often nearer to each other than a number is long.
                if at not in known:
                    known[at] = list(self._read(place, *at))
                for end, suspicion in known[at]:
                    if end > change.start:
                        yield Sighting(suspicion, frozenset({number}))

    def _read(self, place: AlignedPlace, position: int, theirs: int) -> Iterator[tuple[int, Suspicion]]:
        """Yield what the times that begin at these positions suggest, each with its end in the control."""
        for size, kinds in _BY_SIZE.items():
            end = position + size
            one, other = place.control[position:end], place.experiment[theirs : theirs + size]
            if one == other or len(one) < size or len(other) < size:
                continue
            for kind in kinds:
                number = kind.read(one)
                if kind.low <= number <= kind.high:
                    yield from ((end, found) for found in self._compare(kind, number, (one, other)))

    def _compare(self, kind: _Numbers, one: float, data: tuple[bytes, bytes]) -> Iterator[Suspicion]:
        other = kind.read(data[1])
        for form in kind.encodings:
            if form.low < one < form.high and form.low < other < form.high:
                a, b = form.read(one), form.read(other)
                for cause, strength, why in self._explain(a, b, form.zone, kind.size):
                    texts = f"{data[0].hex()} ({int(a)})", f"{data[1].hex()} ({int(b)})"
                    yield Suspicion(cause, strength, *texts, f"{why} ({form.name})")

    def _explain(self, a: float, b: float, zone: int | None, size: int) -> Sequence[Verdict]:
        if not any(low <= b - a <= high for low, high in self._lengths):
            return ()
        # In text that is read as numbers, the same seconds come again and again.
        key = int(a), int(b), zone, size
        if key not in self._known:
            precision = 1.0 if zone is not None else 2.0
            stamps = (Stamp(0, size, float(int(value)), precision, zone) for value in (a, b))
            self._known[key] = self._judge.judge(*stamps)
        return self._known[key]


def _positions(change: Change) -> Iterator[tuple[int, int]]:
    """Yield the positions in both at which a number that contains the change may begin."""
    for position in range(max(0, change.start - 7), min(change.end, change.start + _LONGEST)):
        theirs = change.theirs + position - change.start
        if 0 <= theirs < change.their_end:
            yield position, theirs
