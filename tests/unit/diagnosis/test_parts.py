"""Places with more than one cause."""

import pytest

from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.parts import observe_parts, open_beside, open_steady, with_parts
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, Role, Strength, Suspicion

ALL, NONE, OWNER = frozenset({"time", "user_group"}), frozenset(), frozenset({"user_group"})
BUILD = BuildResult(id="x", role=Role.EXPERIMENT, environment={}, status=BuildStatus.OK)
TIMES = ("1700000001", "1800000002")


def place(control, experiment, location="line 1", field=Field.CONTENT):
    return Place(field=field, location=location, control=control, experiment=experiment)


def given(values=()):
    """An investigation in which a place with one of `values` on each side suggests the time."""

    def suspect(where, _, other):
        found = [pair for pair in values if pair[0].encode() in where.control and pair[1].encode() in where.experiment]
        return [Suspicion(Cause.TIME, Strength.STRONG, *pair, "so") for pair in found]

    return Investigation(
        control=BUILD, experiment=BUILD, everything=ALL, look=None, suspect=suspect, rebuilder=None, tree="/t"
    )


@pytest.mark.parametrize(
    ("control", "experiment", "left"),
    [
        (b"at 1700000001 on 7", b"at 1800000002 on 9", (b"at  on 7", b"at  on 9")),
        (b"at 1700000001 on 7", b"at 1800000002 on 12345", (b"at  on 7", b"at  on 12345")),
        (b"at 1700000001 on 7", b"at 1800000002 on 7", None),
        (b"1700000001 1700000001", b"1800000002 1800000002", None),
        (b"here 7", b"here 9", None),
    ],
)
def test_what_is_beside_an_explained_value_is_looked_into(control, experiment, left):
    where, search = place(control, experiment), given([TIMES])
    beside = open_beside(where, search.suspect(where, BUILD, BUILD), search)
    assert (beside and (beside.place.control, beside.place.experiment)) == left


def test_a_stored_number_is_left_out_only_where_it_differs():
    where = place(bytes(8) + b"ab", b"\0\0\x05\xce\0\0\0\0cd")
    owner = [Suspicion(Cause.USER_GROUP, Strength.STRONG, "0000", "05ce", "so")]
    assert open_beside(where, owner, given()).place.control == bytes(6) + b"ab"


def test_what_does_not_change_in_a_repeat_changes_with_the_variations():
    case = Case(place(b"owner 1 seed 55\n", b"owner 2 seed 66\n"), [], [Observation(ALL, True)])
    key = Key("out", "", "line 1", Field.CONTENT)
    for group, other in (
        (NONE, b"owner 1 seed 77\n"),
        (OWNER, b"owner 2 seed 88\n"),
        (ALL - OWNER, b"owner 1 seed 99\n"),
    ):
        case.observations.append(Observation(group, True))
        observe_parts(case, group, place(b"owner 1 seed 55\n", other), given(), BUILD)
    open_steady({key: case}, given())
    assert [(one.varied, one.shows) for one in case.steady.observations] == [
        (ALL, True),
        (NONE, False),
        (OWNER, True),
        (ALL - OWNER, False),
    ]
    assert len(with_parts({key: case})) == 2


def test_no_part_is_sought_in_a_time_whose_day_has_a_name():
    case = Case(place(b"Sat 17\n", b"Mon 18\n"), [Suspicion(Cause.TIME, Strength.STRONG, "17", "18", "so")])
    case.observations += [Observation(ALL, True), Observation(NONE, True)]
    observe_parts(case, NONE, place(b"Sat 17\n", b"Sat 19\n"), given(), BUILD)
    open_steady({Key("out", "", "line 1", Field.CONTENT): case}, given())
    assert case.steady is None


def test_a_token_that_is_random_as_a_whole_has_no_steady_part():
    case = Case(place(b"id a1-b2-c3\n", b"id d4-e5-f6\n"), [], [Observation(ALL, True), Observation(NONE, True)])
    # By chance, the middle is that of the control.
    observe_parts(case, NONE, place(b"id a1-b2-c3\n", b"id x7-b2-y8\n"), given(), BUILD)
    open_steady({Key("out", "", "line 1", Field.CONTENT): case}, given())
    assert case.steady is None


def test_positions_are_those_in_the_file_where_places_begin_elsewhere():
    whole = place(b"\0\0\x01\x02\0\0\0\0\x11\x12\x13\x14\0", b"\0\0\x05\x06\0\0\0\0\x21\x22\x23\x24\0", "byte 0x2")
    case = Case(whole, [], [Observation(ALL, True), Observation(NONE, True)])
    observe_parts(case, NONE, place(b"\x11\x12\x13\x14\0", b"\x31\x32\x33\x34\0", "byte 0x8"), given(), BUILD)
    open_steady({Key("out", "", "byte 0x2", Field.CONTENT): case}, given())
    assert case.steady.place.control == b"\0\0\x01\x02\0\0\0\0\0"


def test_compressed_data_of_which_each_repeat_changes_other_bytes_has_no_steady_part():
    case = Case(place(b"<~ab(cd(ef(gh~>", b"<~AB(CD(EF(GH~>"), [], [Observation(ALL, True)])
    key = Key("out", "", "line 1", Field.CONTENT)
    for other in (b"<~xy(cd(ef(gh~>", b"<~ab(xy(ef(gh~>"):
        case.observations.append(Observation(NONE, True))
        observe_parts(case, NONE, place(case.place.control, other), given(), BUILD)
    open_steady({key: case}, given())
    assert case.steady is None
