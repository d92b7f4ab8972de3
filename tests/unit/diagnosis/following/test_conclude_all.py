"""What is concluded about places that follow from others."""

from dataclasses import replace

import pytest

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.following.conclude import conclude_all, find_moved_with, note_late_sources
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Cause, Field, Place, Strength, Suspicion

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


def always(key, *causes, note=""):
    return replace(
        case(key, b"x", [True] * len(GROUPS)),
        place=Place(field=key.field, location=key.location, control=b"1", experiment=b"2", note=note),
        suspicions=[Suspicion(cause, strength, "1", "2", "so") for cause, strength in causes],
    )


@pytest.mark.parametrize("sometimes", [False, True])
def test_a_digest_of_a_file_follows_from_what_differs_in_it_whenever_it_does(sometimes):
    name = Key("a.whl", "a.so", "ELF section .debug_line_str, string 1", Field.CONTENT)
    path, build_id = name._replace(location="ELF section .rodata, string 2"), name._replace(location="ELF build id")
    cases = {
        path: case(path, b"/b", [group == EVERYTHING or "build_path" in group for group in GROUPS]),
        name: always(name, (Cause.RANDOM, Strength.WEAK)),
        build_id: always(build_id, (Cause.RANDOM, Strength.GUESS), note=FOLLOWS),
    }
    if sometimes:
        # It then differs for something else, such as what was in it before it was stripped.
        cases[name] = case(name, b"x", [index != 1 for index in range(len(GROUPS))])
    note_late_sources(cases, EVERYTHING)
    assert list(cases[build_id].sources) == ([] if sometimes else [name, path])
    if not sometimes:
        told = {key: cause for key, _, (cause, _) in conclude_all(cases, EVERYTHING)}
        assert told == {name: Cause.RANDOM, path: Cause.BUILD_PATH, build_id: Cause.RANDOM}
        assert cases[build_id].suspicions[0].why == (
            "it follows from ELF section .debug_line_str, string 1 and ELF section .rodata, string 2"
        )


RANDOM = [EVERYTHING, *[frozenset(), frozenset({"umask"})] * 8, *[frozenset()] * 4]


def random_case(key, control, experiment, shows):
    place = Place(field=key.field, location=key.location, control=control, experiment=experiment)
    return Case(place, [], [Observation(group, one, False) for group, one in zip(RANDOM, shows, strict=False)])


@pytest.mark.parametrize("control", [b"", b"DA:4,1"])
def test_what_is_left_of_lines_in_a_random_order_follows_from_it_and_is_as_sure(control):
    cases = {
        ORDER: random_case(ORDER, b"a\nb", b"b\na", [True] * len(RANDOM)),
        LEFT: random_case(LEFT, control, b"DA:1,4", [index % 3 != 2 for index in range(len(RANDOM))]),
    }
    assert find_moved_with(cases) == {LEFT: ORDER}
    # It was first seen in the fourth build.
    cases[LEFT].observations = cases[LEFT].observations[3:]
    assert find_moved_with(cases) == {LEFT: ORDER}
    # It is no time either.
    cases[ORDER].observations += [Observation(frozenset(), True, stopped=True)]
    note_late_sources(cases, EVERYTHING)
    told = {key: cause for key, _, cause in conclude_all(cases, EVERYTHING)}
    assert told == {ORDER: (Cause.RANDOM, True), LEFT: (Cause.RANDOM, True)}


def test_a_line_that_differs_in_all_builds_is_not_left_of_lines_in_a_random_order():
    cases = {
        ORDER: random_case(ORDER, b"a\nb", b"b\na", [True] * len(RANDOM)),
        LEFT: random_case(LEFT, b"DA:4,1", b"DA:1,4", [True] * len(RANDOM)),
    }
    assert not find_moved_with(cases)
    # Nor is one that differs in a build in which the order does not.
    cases[LEFT].observations[1] = replace(cases[LEFT].observations[1], shows=False)
    cases[ORDER].observations[3] = replace(cases[ORDER].observations[3], shows=False)
    assert not find_moved_with(cases)


@pytest.mark.parametrize("more", [frozenset(), frozenset({"umask", "build_path"})])
def test_a_line_that_differs_with_less_and_not_with_more_is_left_of_lines_in_a_random_order(more):
    cases = {
        ORDER: random_case(ORDER, b"a\nb", b"b\na", [True] * 3),
        LEFT: random_case(LEFT, b"DA:4,1", b"DA:1,4", [True, False, True]),
    }
    for case_ in cases.values():
        case_.observations[1] = replace(case_.observations[1], varied=more)
    assert find_moved_with(cases) == ({LEFT: ORDER} if more else {})


def test_offsets_follow_from_strings_that_change_places_if_one_of_them_differs_whenever_they_do():
    one = Key("a.so", "", "ELF section .debug_line_str, string 1", Field.CONTENT)
    other, offset = one._replace(location="ELF section .debug_line_str, string 2"), one._replace(location="x, byte 0x8")
    shows = [bool(index % 3) for index in range(len(GROUPS))]
    cases = {
        one: case(one, b"x", [index < 2 or each for index, each in enumerate(shows)]),
        other: case(other, b"x", [index < 2 or not each for index, each in enumerate(shows)]),
        offset: always(offset, note=FOLLOWS),
    }
    note_late_sources(cases, EVERYTHING)
    assert list(cases[offset].sources) == [one, other]
    cases[other] = case(other, b"x", [index < 2 for index in range(len(GROUPS))])
    note_late_sources(cases, EVERYTHING)
    assert not cases[offset].sources


def test_of_several_sources_that_which_differs_just_when_it_does_comes_first():
    path, clock = (Key("a.so", "", f"ELF section .rodata, string {number}", Field.CONTENT) for number in (2, 1))
    table = path._replace(location="ELF section .symtab, byte 0x98")
    strings = {
        clock: case(clock, b"x", [group == EVERYTHING for group in GROUPS]),
        path: case(path, b"x", ["build_path" in group for group in GROUPS]),
    }
    strings[clock].suspicions = [Suspicion(Cause.UMASK, Strength.STRONG, "mode 644", "mode 600", "")]
    strings[path].suspicions = [Suspicion(Cause.BUILD_PATH, Strength.STRONG, "/ftc-build-a", "/ftc-build-b", "")]
    offsets = case(table, b"x", ["build_path" in group for group in GROUPS])
    offsets.sources = [clock, path]
    note_late_sources({**strings, table: offsets}, EVERYTHING)
    assert offsets.sources == [path, clock]


@pytest.mark.parametrize(
    ("output", "location", "confirmed"),
    [("a.pdf", "PDF object 1 0, line 6", False), ("a.js.map", "key mappings", False), ("a.so", "ELF build id", True)],
)
def test_a_position_is_confirmed_to_follow_only_by_what_builds_show_of_itself(output, location, confirmed):
    """It may have another cause, as that of a point in a plot, and differ in the same few builds."""
    groups = [EVERYTHING, frozenset(), frozenset({"build_path", "umask"}), frozenset({"fileordering"})]
    seen = [Observation(group, "build_path" in group) for group in groups]
    text = Key(output, "", "line 5", Field.CONTENT)
    place = text._replace(location=location)
    known = replace(always(text, (Cause.BUILD_PATH, Strength.CERTAIN)), observations=seen)
    cases = {text: known, place: replace(always(place, note=FOLLOWS), observations=list(seen))}
    note_late_sources(cases, EVERYTHING)
    told = {key: cause for key, _, cause in conclude_all(cases, EVERYTHING)}
    assert told == {text: (Cause.BUILD_PATH, True), place: (Cause.BUILD_PATH, confirmed)}
