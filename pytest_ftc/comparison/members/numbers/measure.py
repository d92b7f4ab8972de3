"""How far the numbers of two arrays are apart: how many differ, and the largest differences."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, TypeAlias

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span

Real: TypeAlias = int | float | Decimal
Number: TypeAlias = Real | complex
Decode: TypeAlias = Callable[[bytes], Sequence[Number]]
"""Returns the numbers that consecutive elements hold."""
Pair: TypeAlias = tuple[int, Number, Number]
"""The position of two numbers in their arrays, and the numbers."""

_CHUNK = 1 << 12
"""Elements read at once."""
_PRECISE = Context(prec=100, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Subtracts decimal numbers of up to 100 digits exactly, and rounds the results of longer ones correctly."""
_LONGEST = 25
"""Characters of a number that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far the numbers of two arrays are apart."""

    total: int
    """How many numbers were compared."""
    differing: int = 0
    """How many of them differ, by their bits."""
    odd: int = 0
    """How many of those are NaN or infinite in either array, so that there is no difference to speak of."""
    largest: Real = 0
    """The largest absolute difference of the others; of complex numbers the modulus."""
    pair: Pair | None = None
    """Where it is; None if there are no others."""
    relative: float = 0.0
    """The largest difference in relation to the larger of the two numbers, from 0 to 2."""

    def is_within(self, tolerance: float) -> bool:
        """Return whether all numbers are finite and at most `tolerance` apart."""
        return not self.odd and self.largest <= tolerance


def difference(one: Number, other: Number) -> Real | None:
    """Return how far two numbers are apart, the modulus for complex ones; None if either is NaN or infinite."""
    if not (_is_finite(one) and _is_finite(other)):
        return None
    left, right = _of_one_type(one, other)
    if isinstance(left, complex):
        # Unlike abs(), this is infinite where the modulus exceeds the largest float.
        return math.hypot(left.real - right.real, left.imag - right.imag)
    apart: Real = _PRECISE.subtract(left, right).copy_abs() if isinstance(left, Decimal) else abs(left - right)
    return apart


def _of_one_type(one: Number, other: Number) -> tuple[Any, Any]:
    # A huge integer has no float.
    return (one, other) if type(one) is type(other) else (_exact(one), _exact(other))


def _exact(number: Number) -> Decimal:
    assert not isinstance(number, complex)  # An array has only these or none.
    return Decimal(number)


def _is_finite(number: Number) -> bool:
    if isinstance(number, complex):
        return cmath.isfinite(number)
    # An integer may be too large for math.isfinite().
    return isinstance(number, int) or (number.is_finite() if isinstance(number, Decimal) else math.isfinite(number))


def measure(pairs: Iterable[Pair], total: int) -> Extent:
    """Return how far the `pairs` that differ, of `total` ones, are apart."""
    differing = odd = 0
    largest: Real = 0
    pair: Pair | None = None
    relative = 0.0
    for each in pairs:
        differing += 1
        _, one, other = each
        apart = difference(one, other)
        if apart is None:
            odd += 1
            continue
        if pair is None or apart > largest:
            largest, pair = apart, each
        relative = max(relative, _relate(apart, one, other))
    return Extent(total=total, differing=differing, odd=odd, largest=largest, pair=pair, relative=relative)


def _relate(apart: Any, one: Number, other: Number) -> float:
    if not apart:
        return 0.0
    left, right = _of_one_type(one, other)
    if isinstance(left, Decimal):
        return float(_PRECISE.divide(apart, max(left.copy_abs(), right.copy_abs())))
    if isinstance(left, complex):
        return _relate_complex(left, right)
    larger = max(abs(left), abs(right))
    # The difference of two huge numbers of opposite signs exceeds the largest float.
    return float(abs(left / larger - right / larger) if apart == math.inf else apart / larger)


def _relate_complex(one: complex, other: complex) -> float:
    # Divided by the largest part first, so that no modulus exceeds the largest float or is rounded to zero.
    unit = max(abs(part) for number in (one, other) for part in (number.real, number.imag))
    left, right = (complex(number.real / unit, number.imag / unit) for number in (one, other))
    return abs(left - right) / max(abs(left), abs(right))


def measure_lists(one: Sequence[Number], other: Sequence[Number]) -> Extent:
    """Return how far two lists of equal length are apart."""
    pairs = ((index, *pair) for index, pair in enumerate(zip(one, other, strict=True)) if _unlike(*pair))
    return measure(pairs, len(one))


def _unlike(one: Number, other: Number) -> bool:
    return type(one) is not type(other) or repr(one) != repr(other)


def measure_arrays(one: Span, other: Span, size: int, decode: Decode, budget: Budget, most: int = 1 << 62) -> Extent:
    """Return how far the first `most` elements, of `size` bytes each, of equally long arrays are apart.

    Raises OutOfTimeError.
    """
    total = min(one.size // size, most)
    return measure(_unequal_elements(one, other, (size, total), decode, budget), total)


def _unequal_elements(
    one: Span, other: Span, extent: tuple[int, int], decode: Decode, budget: Budget
) -> Iterator[Pair]:
    size, total = extent
    for first in range(0, total, _CHUNK):
        budget.check_time()
        count = min(_CHUNK, total - first)
        left, right = (span.read(first * size, count * size) for span in (one, other))
        if left == right:
            continue
        for number, (a, b) in enumerate(zip(decode(left), decode(right), strict=True)):
            # Equal real numbers have equal bits, except zeros, which have signs; NaN is not equal to itself.
            if a == b and a and type(a) is not complex:
                continue
            start = number * size
            if left[start : start + size] != right[start : start + size]:
                yield first + number, a, b


def describe(extent: Extent, locate: Callable[[int], str], *, of: str = "") -> str:
    """Return the extent in a sentence without a full stop; `locate` names a position: ``[3, 7]``."""
    share = f"{extent.differing} of {of}{extent.total} {'number' if extent.total == 1 else 'numbers'}"
    verb = "differs" if extent.differing == 1 else "differ"
    parts = [f"{share} {verb}"]
    if extent.pair:
        where, one, other = extent.pair
        values = f"({show(one)} and {show(other)})"
        parts.append(f"largest difference {show(extent.largest, digits=3)} at {locate(where)} {values}")
        parts.append(f"largest relative difference {show(extent.relative, digits=3)}")
    if extent.odd:
        parts.append(f"{extent.odd} of them {'is' if extent.odd == 1 else 'are'} NaN or infinite")
    return "; ".join(parts)


def describe_pair(one: Number, other: Number) -> str:
    """Return by how much two numbers differ; empty if there is no number to tell."""
    extent = measure_lists([one], [other])
    if not extent.pair:
        return ""
    return f"they differ by {show(extent.largest, digits=3)}, relative {show(extent.relative, digits=3)}"


def show(number: Number, digits: int = 17) -> str:
    """Return a number with at most so many significant `digits`, and as few as it needs."""
    if isinstance(number, complex):
        return join_complex(show(number.real, digits), show(number.imag, digits))
    if isinstance(number, float):
        return repr(number) if digits >= 17 else f"{number:.{digits}g}"
    if isinstance(number, Decimal) and digits < 17:
        return f"{float(number):.{digits}g}"
    text = str(number)
    # Converting a huge integer takes quadratic time, but one that was read from an array or a text is bounded.
    return text if len(text) <= _LONGEST else f"{Decimal(number):.{digits}g}"


def join_complex(real: str, imaginary: str) -> str:
    """Return a complex number as text from those of its parts."""
    return f"{real}{'' if imaginary.startswith(('-', 'nan')) else '+'}{imaginary}j"
