"""Times that only builds whose clock stands still tell."""

from types import SimpleNamespace

import pytest

from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.inherent.clock import check_clock
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
