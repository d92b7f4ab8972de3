"""Times that only builds whose clock stands still tell."""

from types import SimpleNamespace

import pytest

from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.inherent.clock import check_clock
from pytest_ftc.diagnosis.inherent.pairs import find_differing
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Field, Place

EVERYTHING = frozenset({"time", "umask", "build_path"})
NOTHING = frozenset()
AGAIN, EQUAL, DIFFERENT = Observation(NOTHING, True), *(Observation(NOTHING, x, stopped=True) for x in (False, True))


@pytest.mark.parametrize(("order", "told"), [(None, ["time"]), (EQUAL, ["time"]), (DIFFERENT, [])])
def test_a_line_among_shuffled_ones_that_is_equal_twice_while_the_clock_stands_still_is_no_time(order, told):
    line = Key("a.js", "", "line 3", Field.CONTENT)
    place = Place(field=line.field, location=line.location, control=b"b", experiment=b"c")
    cases = {line: Case(place, [], [Observation(EVERYTHING, True), AGAIN, AGAIN, AGAIN, EQUAL, EQUAL])}
    if order:
        seen = [Observation(EVERYTHING, True), AGAIN, AGAIN, AGAIN, order, order]
        cases[line._replace(location="line order", field=Field.ORDER)] = Case(place, [], seen)
    check_clock(cases, SimpleNamespace(everything=EVERYTHING, stopped=[]), SimpleNamespace(left=0))
    assert [str(one.cause) for one in cases[line].suspicions] == told


@pytest.mark.parametrize(
    ("beside", "other", "told"),
    [
        ("element [7] (float64)", DIFFERENT, []),
        ("element [7] (float64)", EQUAL, ["time"]),
        ("array header", DIFFERENT, ["time"]),
    ],
)
def test_a_number_of_an_array_whose_others_are_random_may_be_equal_by_luck(beside, other, told):
    number = Key("a.npy", "", "element [3] (float64)", Field.CONTENT)
    place = Place(field=number.field, location=number.location, control=b"b", experiment=b"c")
    cases = {
        key: Case(place, [], [Observation(EVERYTHING, True), AGAIN, AGAIN, AGAIN, one, one])
        for key, one in ((number, EQUAL), (number._replace(location=beside), other))
    }
    check_clock(cases, SimpleNamespace(everything=EVERYTHING, stopped=[]), SimpleNamespace(left=0))
    assert [str(one.cause) for one in cases[number].suspicions] == told


@pytest.mark.parametrize(("first", "shows"), [(b"c", True), (b"a", False)])
def test_a_line_differs_where_it_is_among_those_in_another_order(first, shows):
    """Where nothing else differs, as while the clock stands still, only the order is a place."""
    line = Key("out", "", "line 2", Field.CONTENT)
    place = Place(field=line.field, location=line.location, control=first + b"\n", experiment=b"x\n")
    order = line._replace(location="line order", field=Field.ORDER)
    moved = Place(field=order.field, location=order.location, control=b"a\nb\nc\n", experiment=b"a\nc\nb\n")
    build = SimpleNamespace(outputs=[SimpleNamespace(path="out")])
    assert find_differing({line: Case(place, [])}, {order: moved}, build, build) == {line: shows}
