"""Tables in text: numbers by row and column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.formats.text.rows import find_moved_rows, find_numbering
from pytest_ftc.comparison.members.limits import Budget, Limits


def places(compare, one, other, name="table.csv"):
    return [
        (leaf.location, leaf.control, leaf.experiment, leaf.numbers)
        for leaf in compare(one.encode(), other.encode(), name).leaves
    ]


def test_a_cell_is_named_by_its_row_and_column(compare):
    one = 'epoch,loss,"a, b"\r\n1,0.5,x\r\n2,0.25,y\r\n3,0.125,z\r\n'
    other = one.replace("0.25", "0.2500001").replace("0.125", "0.126")
    numbers = (
        "2 of 3 numbers differ; largest difference 0.001 at row 4 (0.125 and 0.126); "
        "largest relative difference 0.00794"
    )
    assert places(compare, one, other) == [
        ("row 3, column loss", b"0.25", b"0.2500001", numbers),
        ("row 4, column loss", b"0.125", b"0.126", numbers),
    ]


@pytest.mark.parametrize(("name", "delimiter"), [("x.tsv", "\t"), ("x.csv", ";"), ("x.csv", ",")])
def test_columns_without_names_have_numbers(compare, name, delimiter):
    one, other = (f"1{delimiter}2\n3{delimiter}{last}\n" for last in ("4", "5"))
    ((location, _, _, numbers),) = places(compare, one, other, name)
    assert location == "row 2, column 2"
    assert numbers.startswith("1 of 2 numbers differs; largest difference 1 at row 2 (4.0 and 5.0)")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a,b\n1,2\n", "a,b\n1,2\n3,4\n"),
        ("a,b\n1,2\n", "a,b\n1,2,3\n"),
    ],
)
def test_other_tables_are_compared_by_line(compare, one, other):
    assert [location for location, *_ in places(compare, one, other)] == [
        "line 3" if one.count("\n") != other.count("\n") else "line 2"
    ]


def test_rows_in_another_order_are_compared_by_line(compare):
    one, other = "a,b\nx,1\ny,2\nz,3\n", "a,b\nz,3\nx,1\ny,2\n"
    assert not [location for location, *_ in places(compare, one, other) if "row" in location]


def test_not_a_number_is_counted_by_itself(compare):
    ((_, _, _, numbers),) = places(compare, "a\n1\n2\n", "a\n1\nnan\n")
    assert numbers == "1 of 2 numbers differs; 1 of them is NaN or infinite"


def test_of_many_cells_each_column_is_told(compare):
    one = "a,b\n" + "".join(f"{row},0\n" for row in range(50))
    other = "a,b\n" + "".join(f"{row}.5,{int(row == 49)}\n" for row in range(50))
    found = places(compare, one, other)
    assert len(found) == 16
    assert found[-1][0] == "row 51, column b"


def test_a_cell_that_is_no_number_is_a_place_of_its_own_beside_numbers(compare):
    told = "1 of 2 numbers differs; largest difference 1 at row 2 (1.0 and 2.0); largest relative difference 0.5"
    one, other = "a,b\n1,2026-01-01\nhost,x\n1,1_0\n", "a,b\n2,2026-01-02\nhost,y\n1,1_1\n"
    assert places(compare, one, other) == [
        ("row 2, column a", b"1", b"2", told),
        ("row 2, column b", b"2026-01-01", b"2026-01-02", ""),
        ("row 3, column b", b"x", b"y", ""),
        ("row 4, column b", b"1_0", b"1_1", ""),
    ]


def test_rows_that_have_moved_are_compared_with_themselves(compare):
    one = "name,path,size\nant,/x/ant,1\nbee,/x/bee,2\ncow,/x/cow,2\n"
    other = "name,path,size\ncow,/y/cow,2\nant,/y/ant,1\nbee,/y/bee,2\n"
    assert [place[:3] for place in places(compare, one, other)] == [
        ("line order", b"name\nant\nbee\ncow\n", b"name\ncow\nant\nbee\n"),
        ("row 2, column path", b"/x/ant", b"/y/ant"),
        ("row 3, column path", b"/x/bee", b"/y/bee"),
        ("row 4, column path", b"/x/cow", b"/y/cow"),
    ]


@given(st.integers(2, 8), st.randoms(use_true_random=False))
def test_each_moved_row_is_found_by_what_no_other_row_has(count, draw):
    rows = [(str(number), f"name {number}", f"value {number % 2}", "same") for number in range(count)]
    order = draw.sample(range(count), count)
    # The first column is the number of the row, which stays where it is.
    other = [
        (str(number), rows[own][1], f"value {own % 2} of another build", "same") for number, own in enumerate(order)
    ]
    assert find_numbering(rows, other) == [0]
    moved = find_moved_rows(rows, other, Budget(Limits()), [0])
    if order == sorted(order):
        assert moved is None
    else:
        assert moved.column == 1
        assert [order[place] for place in moved.order] == list(range(count))
