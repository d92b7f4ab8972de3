"""Parquet tables whose numbers are equal within a tolerance; those here were written by PyArrow 26."""

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.walk import walk
from pytest_ftc.comparison.tolerance.refusal import RefusedError
from pytest_ftc.comparison.tolerance.within import measure_within

TABLES = Path(__file__).parents[1] / "members" / "tables"


def read(name):
    return tuple(gzip.decompress((TABLES / f"pyarrow-{name}-{number}.gz").read_bytes()) for number in (1, 2))


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("within")
    return folder / "one.parquet", folder / "other.parquet"


@pytest.fixture(scope="module")
def within(sides):
    def within(one, other, tolerance=1.0):
        for side, content in zip(sides, (one, other), strict=True):
            side.write_bytes(content)
        return measure_within(*sides, "x.parquet", tolerance, Budget(Limits()))

    return within


@pytest.mark.parametrize(("name", "group"), [("v1", 1), ("v2", 0)])
def test_numbers_of_columns_may_differ_by_the_tolerance(within, name, group):
    one, other = read(name)
    column = "column scores.list.element at row 3, value 0"
    assert within(one, other, 0.5).describe_largest() == f"largest difference 0.5 in {column}"
    with pytest.raises(
        RefusedError, match=r"^column scores.list.element: 1 of \d numbers differs; largest difference 0.5"
    ):
        within(one, other, 0.4)


@given(st.data(), st.sampled_from(["v1", "v2", "plain"]))
def test_any_other_bit_that_differs_is_refused(within, sides, data, name):
    one, other = read(name)
    changed = bytearray(other)
    bit = data.draw(st.integers(0, 8 * len(other) - 1))
    changed[bit // 8] ^= 1 << bit % 8
    try:
        within(one, bytes(changed), 1e300)
    except RefusedError:
        return
    places = [leaf.location for leaf in walk(*sides, "x.parquet").leaves]
    assert all(
        re.fullmatch(r"parquet column (id|loss|scores\.list\.element).*, row \d.*\((int|float)64\)", each)
        for each in places
    )


ONE, OTHER = read("plain")
FOOTER = int.from_bytes(OTHER[-8:-4], "little")
END = len(OTHER) - 8 - FOOTER


def with_footer(footer):
    return OTHER[:END] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def put(old, new, times=1):
    assert OTHER.count(old) >= times
    return OTHER.replace(old, new)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (OTHER[:END] + b"host" + OTHER[END:], "more than columns, such as an index"),
        (with_footer(OTHER[END:-8] + b"host"), "footer has more than its fields"),
        (with_footer(OTHER[END:-8].replace(b"loss", b"lost")), "names, types, metadata"),
        (with_footer(OTHER[END:-8].replace(b"parquet-cpp", b"parquet-cpq")), "names, types, metadata"),
        (put(b"\1\0\0\0c\1\0\0\0d", b"\1\0\0\0c\1\0\0\0e"), "column name differs, and has no numbers"),
        (with_footer(OTHER[END:-8].replace(b"\4" + bytes(7), b"\5" + bytes(7), 1)), "statistics or sizes of column id"),
        (b"XXXX" + OTHER[4:], "only one of them is a table"),
        (ONE[:END] + OTHER[END:], "the statistics or sizes|names"),
    ],
    ids=["gap", "footer", "name", "writer", "text", "statistics", "magic", "values"],
)
def test_other_differences_are_refused_by_their_reason(within, other, why):
    assert within(ONE, OTHER).describe_largest() == "largest difference 1.11e-16 in column loss at row 2"
    with pytest.raises(RefusedError, match=why):
        within(ONE, other)
