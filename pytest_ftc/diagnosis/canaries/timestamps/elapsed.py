"""Numbers that differ by as much as the clocks, in any unit, since any epoch and in any notation.

A count of time is ``a * seconds + b``.  What it counts from cancels out between two builds, and the clocks are so far
apart that a difference of just that many seconds, milliseconds or days is no coincidence.  Some counts have other bits
below the time: identifiers that sort by the time of their making, as ULID, UUID version 7 or KSUID.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.values import touches
from pytest_ftc.model import Cause, Strength, Suspicion

_SLACK = 2.0
"""Seconds by which a clock may be read before the known start or after the known end of the build."""
_DAY = 86400
_NO_CHANCE = 1e-5
"""Relative tolerance at which two equal time differences are no coincidence."""
_NO_CHANCE_OF_ZONE = 1e-3
"""The same for the difference of two time zones, which builds confirm where more tells of the zone."""
_LEAST_ZONE = 3600
_LONGEST = 64
_LEAST_BELOW, _MOST_BELOW = 8, 128
"""Bits below the time: KSUID has 128."""
_DRAWN = 32
"""Bits below the time, too many for a counter."""

_UNITS: tuple[tuple[str, Fraction], ...] = (
    ("days", Fraction(1, _DAY)),
    ("hours", Fraction(1, 3600)),
    ("minutes", Fraction(1, 60)),
    ("seconds", Fraction(1)),
    ("hundredths of a second", Fraction(100)),
    ("milliseconds", Fraction(1000)),
    ("microseconds", Fraction(10**6)),
    ("100 nanoseconds", Fraction(10**7)),
    ("nanoseconds", Fraction(10**9)),
)

_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_ALPHABETS = (
    _DIGITS,
    f"{_DIGITS}abcdef",
    f"{_DIGITS}ABCDEF",
    # Base 32 by Crockford, and of RFC 4648.
    f"{_DIGITS}ABCDEFGHJKMNPQRSTVWXYZ",
    f"{_UPPER}234567",
    f"{_DIGITS}{_LOWER}",
    f"{_DIGITS}{_UPPER}",
    f"{_DIGITS}{_UPPER}{_LOWER}",
    f"{_DIGITS}{_LOWER}{_UPPER}",
)
_TABLES = tuple({ord(digit): value for value, digit in enumerate(alphabet)} for alphabet in _ALPHABETS)

_WORD = re.compile(rb"(?<![0-9A-Za-z])(?:0[xX])?([0-9A-Za-z]{3,%d})" % _LONGEST)
_SUFFIX = re.compile(rb"(?<=[0-9A-Fa-f])[uUlLnN]{1,3}$")
"""Suffixes of integers in C, and of large ones in JavaScript."""
_FRACTION = re.compile(rb"(?<![0-9.])[0-9]{1,20}\.[0-9]{1,12}(?![0-9.])")
_UUID = re.compile(rb"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Seconds by which the second build is ahead of the first."""

    causes: tuple[str, ...]
    least: float
    most: float
    why: str
    no_chance: float = _NO_CHANCE
    """Relative tolerance at which it is no coincidence."""
    in_front: bool = True
    """Whether a number may have other bits below the count."""

    @property
    def is_telling(self) -> bool:
        return min(abs(self.least), abs(self.most)) >= _DAY and self.least * self.most > 0

    def with_zone(self, seconds: int) -> _Ahead:
        """Return it for counts of local time, whose zone is `seconds` ahead in the second build."""
        causes = (*self.causes, Cause.TIMEZONE)
        return _Ahead(causes, self.least + seconds, self.most + seconds, f"{self.why} and their time zones")


def find_paces(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the numbers in `place` that differ by as much as the clocks, or as the times of the sources."""
    lengths = list(_lengths(control, experiment))
    if not lengths:
        return
    words, others = _words(place.control), _words(place.experiment)
    for number, change in enumerate(place.changes):
        own = [match for match in words if touches(match.span(), change.start, change.end)]
        theirs = [match for match in others if touches(match.span(), change.theirs, change.their_end)]
        if len(own) != len(theirs):
            continue
        for one, other in zip(own, theirs, strict=True):
            if one[0] != other[0]:
                for suspicion in _explain(one[0], other[0], lengths):
                    yield Sighting(suspicion, frozenset({number}))


def _lengths(control: Planted, experiment: Planted) -> Iterator[_Ahead]:
    """Yield the clocks and the sources, each alone, and then with the time zones, since local time may be counted."""
    own, theirs = control.clock, experiment.clock
    shift = experiment.source_mtime_shift - control.source_mtime_shift
    told = "the numbers differ by as much as"
    alone = (
        _Ahead(
            (Cause.TIME,),
            theirs.start - own.end - _SLACK,
            theirs.end - own.start + _SLACK,
            f"{told} the clocks of the builds",
        ),
        _Ahead((Cause.SOURCE_MTIME,), shift - 0.5, shift + 0.5, f"{told} the times of the source files"),
    )
    yield from (one for one in alone if one.is_telling)
    zone = experiment.utc_offset - control.utc_offset
    # Programs that take UTC for local time count the other way.
    for sign in (1, -1) if zone else ():
        yield from (one.with_zone(sign * zone) for one in alone if one.is_telling)
        yield from _zone_alone(alone[0], sign * zone)


def _zone_alone(clocks: _Ahead, zone: int) -> Iterator[_Ahead]:
    """Yield how far local times are apart if only the zones of the two builds, by seconds, are."""
    least, most = clocks.least + zone, clocks.most + zone
    if not clocks.is_telling and least * most > 0 and min(abs(least), abs(most)) >= _LEAST_ZONE:
        why = "the numbers differ by as much as the time zones of the builds"
        yield _Ahead((Cause.TIMEZONE,), least, most, why, _NO_CHANCE_OF_ZONE, in_front=False)


_Values = dict[int, Fraction]
"""The values of a word, by notation."""


def _words(text: bytes) -> list[re.Match[bytes]]:
    found = [match for pattern in (_WORD, _FRACTION, _UUID) for match in pattern.finditer(text)]
    return sorted(found, key=lambda match: match.span())


def _read(text: bytes) -> _Values:
    if b"-" in text:
        return {-2: Fraction(_read_uuid(text))}
    if b"." in text:
        return {-1: Fraction(text.decode())}
    word = text[2:] if text[:2] in (b"0x", b"0X") else text
    return {**dict(_readings(_SUFFIX.sub(b"", word))), **dict(_readings(word))}


def _readings(word: bytes) -> Iterator[tuple[int, Fraction]]:
    for number, table in enumerate(_TABLES):
        if all(byte in table for byte in word):
            value = 0
            for byte in word:
                value = value * len(table) + table[byte]
            yield number, Fraction(value)
            if number == 0:
                return


def _read_uuid(text: bytes) -> int:
    """Return the number with the time in front; versions 1 and 6 split it (RFC 9562)."""
    identifier = uuid.UUID(text.decode())
    rest = identifier.int & (1 << 64) - 1
    if identifier.version == 1:
        return identifier.time << 64 | rest
    if identifier.version == 6:
        return (identifier.int >> 80 << 12 | identifier.int >> 64 & 0xFFF) << 64 | rest
    return identifier.int


def _explain(text: bytes, their_text: bytes, lengths: list[_Ahead]) -> Iterator[Suspicion]:
    values, their_values = _read(text), _read(their_text)
    step = max(_step_of(text), _step_of(their_text))
    for reading, ahead, unit in product(sorted(values.keys() & their_values.keys()), lengths, _UNITS):
        own, theirs = values[reading], their_values[reading]
        bits = _bits_below(theirs - own, ahead, unit[1], step)
        if bits is None:
            continue
        why = f"{ahead.why}, counted in {unit[0]}"
        for cause in ahead.causes:
            yield Suspicion(cause, _strength(ahead, unit[1], step), shown(text), shown(their_text), why)
        if bits >= _DRAWN and _below(own, bits) != _below(theirs, bits):
            why = f"the lower {bits} bits, below the time, are random"
            yield Suspicion(Cause.RANDOM, Strength.STRONG, shown(text), shown(their_text), why)
        return


def _step_of(text: bytes) -> Fraction:
    """Return the smallest step of a number: 1, or that of its last decimal."""
    return Fraction(1, 10 ** len(text.partition(b".")[2]))


def _bits_below(difference: Fraction, ahead: _Ahead, per_second: Fraction, step: Fraction) -> int | None:
    """Return the number of bits below the count of time with this difference; None if it is no such count."""
    if difference * Fraction(ahead.least) <= 0:
        return None
    least, most = (Fraction(bound) * per_second for bound in sorted((abs(ahead.least), abs(ahead.most))))
    size = abs(difference)
    # Counts of whole steps may differ by one.
    if least - step < size < most + step:
        return 0
    bits = int(size / most).bit_length()
    for guess in (bits - 1, bits) if per_second >= 1 and ahead.in_front else ():
        if _LEAST_BELOW <= guess <= _MOST_BELOW and least - step < size / (1 << guess) < most + step:
            return guess
    return None


def _strength(ahead: _Ahead, per_second: Fraction, step: Fraction) -> Strength:
    leeway = ahead.most - ahead.least + 2 * float(step / per_second)
    return Strength.STRONG if leeway < ahead.no_chance * abs(ahead.least) else Strength.WEAK


def _below(value: Fraction, bits: int) -> int:
    return int(value) & (1 << bits) - 1
