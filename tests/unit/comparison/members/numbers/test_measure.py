"""How far numbers are apart, against the plainest way to compute it."""

import itertools
import math
import struct
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.formats.data.element_types import decode_numbers
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.numbers.measure import (
    describe,
    describe_pair,
    difference,
    measure_arrays,
    measure_lists,
)
from pytest_ftc.comparison.members.span import span_of

doubles = st.floats(width=64)


def pack(numbers):
    return struct.pack(f"<{len(numbers)}d", *numbers)


def decode(data):
    return struct.unpack(f"<{len(data) // 8}d", data)


@given(st.lists(st.tuples(doubles, doubles) | doubles.map(lambda number: (number, number)), min_size=1))
def test_arrays_are_measured_as_one_by_one(pairs):
    one, other = (pack([pair[side] for pair in pairs]) for side in (0, 1))
    extent = measure_arrays(span_of(one), span_of(other), 8, decode, Budget(Limits()))
    differ = [pair for pair in pairs if pack(pair[:1]) != pack(pair[1:])]
    finite = [(a, b) for a, b in differ if math.isfinite(a) and math.isfinite(b)]
    assert (extent.total, extent.differing, extent.odd) == (len(pairs), len(differ), len(differ) - len(finite))
    assert extent.largest == max((abs(a - b) for a, b in finite), default=0)
    assert 0 <= extent.relative <= 2
    assert extent.is_within(1e-6) == all(abs(a - b) <= 1e-6 for a, b in finite) * (len(finite) == len(differ))


parts = st.tuples(doubles, doubles)


@given(st.lists(st.tuples(parts, parts) | parts.map(lambda number: (number, number)), min_size=1))
@example([((0.0, 1.0), (-0.0, 1.0))])
@example([((1.7e308, 1.7e308), (-1.7e308, -1.7e308))])
@example([((5e-324, 0.0), (0.0, 5e-324))])
@example([((math.nan, 0.0), (0.0, 0.0))])
def test_complex_numbers_are_measured_by_their_modulus(pairs):
    one, other = (pack([part for pair in pairs for part in pair[side]]) for side in (0, 1))
    extent = measure_arrays(span_of(one), span_of(other), 16, decode_numbers("c", 16, "<"), Budget(Limits()))
    differ = [pair for pair in pairs if pack(pair[0]) != pack(pair[1])]
    finite = [(a, b) for a, b in differ if all(map(math.isfinite, [*a, *b]))]
    assert (extent.total, extent.differing, extent.odd) == (len(pairs), len(differ), len(differ) - len(finite))
    assert extent.largest == max((math.dist(a, b) for a, b in finite), default=0)
    assert 0 <= extent.relative <= 2 + 1e-15


@given(st.lists(doubles, min_size=1, max_size=20), st.integers(0, 9999))
def test_one_difference_in_a_long_array_is_found(some, index):
    numbers = list(itertools.islice(itertools.cycle(some), 10_000))
    numbers[index] = 1.0
    changed = [*numbers[:index], 1.5, *numbers[index + 1 :]]
    extent = measure_arrays(span_of(pack(numbers)), span_of(pack(changed)), 8, decode, Budget(Limits()))
    assert (extent.differing, extent.pair) == (1, (index, 1.0, 1.5))


@given(st.integers() | doubles, st.integers() | doubles)
def test_any_two_numbers_have_a_difference_or_are_not_finite(one, other):
    apart = difference(one, other)
    if apart is None:
        assert not (math.isfinite(one) and math.isfinite(other))
    else:
        assert apart >= 0
        assert difference(other, one) == apart
    assert isinstance(describe_pair(one, other), str)


def test_huge_numbers_of_different_types():
    assert difference(10**400, 1.0) == Decimal(10**400)
    assert measure_lists([10**400], [0.5]).relative == 1.0
    assert measure_lists([1e308], [-1e308]).relative == 2.0
    assert not measure_lists([1e308], [-1e308]).is_within(1e300)


def test_decimal_numbers_are_compared_exactly():
    one, other = Decimal("0.10000000000000000001"), Decimal("0.1")
    assert difference(one, other) == Decimal("1e-20")
    assert difference(Decimal("1e999999999"), Decimal("-1e-999999999")) >= Decimal("9e999999998")


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        (
            [1, 2],
            [1, 5],
            "1 of 2 numbers differs; largest difference 3 at #1 (2 and 5); largest relative difference 0.6",
        ),
        (
            [0.0],
            [-0.0],
            "1 of 1 number differs; largest difference 0 at #0 (0.0 and -0.0); largest relative difference 0",
        ),
        (
            [3 + 4j, 1j],
            [0j, complex(-0.0, 1)],
            "2 of 2 numbers differ; largest difference 5 at #0 (3.0+4.0j and 0.0+0.0j); largest relative difference 1",
        ),
        ([1 - 1j], [complex(0, math.nan)], "1 of 1 number differs; 1 of them is NaN or infinite"),
        ([1.0], [math.nan], "1 of 1 number differs; 1 of them is NaN or infinite"),
        (
            [10**40, 0],
            [2, 0],
            (
                "1 of 2 numbers differs; largest difference 1.00e+40 at #0 (1.0000000000000000e+40 and 2); "
                "largest relative difference 1"
            ),
        ),
    ],
)
def test_the_sentence(one, other, sentence):
    assert describe(measure_lists(one, other), lambda number: f"#{number}") == sentence


def test_zeros_of_different_signs_are_within_any_tolerance():
    assert measure_lists([0.0], [-0.0]).is_within(0.0)
    assert not measure_lists([math.inf], [-math.inf]).is_within(math.inf)
