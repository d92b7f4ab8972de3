"""What is concluded about places that follow from others."""

import pytest

from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.following.conclude import conclude_all, note_late_sources
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Cause, Field, Place

ORDER, LEFT = Key("a.info", "", "line order", Field.ORDER), Key("a.info", "", "line 9", Field.CONTENT)
EVERYTHING = frozenset({"fileordering", "umask", "build_path"})
GROUPS = [EVERYTHING, frozenset(), *(frozenset({name}) for name in sorted(EVERYTHING) * 5)]


def case(key, other, shows):
    place = Place(field=key.field, location=key.location, control=b"DA:44,1\n", experiment=other)
    return Case(place, [], [Observation(group, one) for group, one in zip(GROUPS, shows, strict=True)])


@pytest.mark.parametrize(("missed", "sure"), [(0, True), (1, False)])
def test_a_piece_left_of_moved_lines_is_confirmed_only_if_it_shows_whenever_their_order_does(missed, sure):
    shows = [bool(group & {"fileordering"}) for group in GROUPS]
    fewer = list(shows)
    for index in [index for index, one in enumerate(shows) if one][1 : 1 + missed]:
        fewer[index] = False
    cases = {ORDER: case(ORDER, b"x\n", shows), LEFT: case(LEFT, b"", fewer)}
    note_late_sources(cases, EVERYTHING)
    told = {key: cause for key, _, cause in conclude_all(cases, EVERYTHING)}
    assert told == {ORDER: (Cause.FILEORDERING, True), LEFT: (Cause.FILEORDERING, sure)}
