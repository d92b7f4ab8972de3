"""What is concluded of one difference from others."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pytest_ftc.diagnosis.canaries.random_tokens import LOOK_COMPUTED
from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.conclude import conclude, let_follow
from pytest_ftc.diagnosis.confirm import _observe, still_open
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.next_builds import MOST_REPEATS, is_settled, next_groups
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import BuildStatus, Field, Place, Strength, Suspicion

ALL, NONE = frozenset({"time", "timezone", "user_group", "hash_seed"}), frozenset()
MANY = ALL | {"home", "kernel", "umask", "network", "terminal", "aslr", "pid", "exec_path"}


def case(*suspicions, observations):
    place = Place(field=Field.CONTENT, location="x", control=b"1", experiment=b"2")
    return Case(
        place,
        [Suspicion(cause, strength, "1700000001", "1800000002", "so") for cause, strength in suspicions],
        list(observations),
    )


def test_a_digest_follows_from_the_time_beside_it_though_the_zone_is_told_first():
    always = [Observation(ALL, True), Observation(NONE, True)]
    stamp = case(("timezone", Strength.STRONG), ("time", Strength.STRONG), observations=always)
    digest = case(("random", Strength.GUESS), observations=always)
    let_follow({Key("app", "", ".rodata", Field.CONTENT): stamp, Key("app", "", "build id", Field.HEADER): digest}, ALL)
    # Builds have not shown that it follows: it may as well be random.
    assert conclude(digest, ALL) == [("time", False)]
    digest.observations += [Observation(NONE, True, again=False)]
    digest.observations += [Observation(NONE, False, lead=lead) for lead in (0.0, 0.3, 0.0, 0.3)]
    assert conclude(digest, ALL) == [("time", True)]


def test_a_digest_follows_from_a_random_name_in_its_file_and_not_from_the_time_of_an_entry():
    always = [Observation(ALL, True), Observation(NONE, True)]
    entry = case(("time", Strength.STRONG), observations=always)
    name = case(("random", Strength.WEAK), observations=always)
    digest, lonely = (case(("random", Strength.GUESS), observations=always) for _ in range(2))
    let_follow(
        {
            Key("a.whl", "a", "zip entry mtime", Field.MTIME): entry,
            Key("a.whl", "a", "line 1", Field.CONTENT): name,
            Key("a.whl", "a", "line 2", Field.CONTENT): digest,
            Key("a.whl", "b", "line 1", Field.CONTENT): lonely,
        },
        ALL,
    )
    assert digest.suspicions[0].why == "it follows from another place in this output, whose cause is random"
    assert [each.cause for each in (*lonely.suspicions, *name.suspicions)] == ["random", "random"]


def test_a_digest_alone_in_a_file_is_random_sooner_than_that_of_a_time_in_another():
    always = [Observation(ALL, True), Observation(NONE, True)]
    stamp = case(("time", Strength.STRONG), observations=always)
    token, bytes_ = (case(("random", Strength.GUESS), observations=always) for _ in range(2))
    token.suspicions = [replace(token.suspicions[0], why=LOOK_COMPUTED[1])]
    members = ("stamp.py", "token.py", "data.bin")
    keys = (Key("a.whl", member, "line 1", Field.CONTENT) for member in members)
    let_follow(dict(zip(keys, (stamp, token, bytes_), strict=True)), ALL)
    assert [one.cause for one in token.suspicions] == ["random"]
    assert [one.cause for one in bytes_.suspicions] == ["time", "random"]


def test_what_did_not_show_in_a_repeat_is_not_called_random_for_its_looks():
    seen = [Observation(ALL, True), Observation(NONE, False), Observation(frozenset({"time", "timezone"}), False)]
    assert conclude(case(("random", Strength.GUESS), observations=seen), ALL) == [("hash_seed", False)]


def test_an_identifier_that_sorts_by_time_has_two_causes():
    always = [Observation(ALL, True), Observation(NONE, True)]
    both = case(("time", Strength.STRONG), ("random", Strength.STRONG), observations=always)
    assert conclude(both, ALL) == [("time", True), ("random", False)]


def test_what_only_moves_addresses_is_not_told_beside_random_ones():
    names = ALL | {"aslr"}
    alone = [Observation(frozenset({name}), True) for name in ("aslr", "time")]
    address = case(("aslr", Strength.STRONG), observations=[Observation(names, True), Observation(NONE, False), *alone])
    assert conclude(address, names) == [("aslr", True)]


PATHS = ALL | {"build_path", "home", "temp_dir", "exec_path", "domain_host"}
HALF = frozenset({"build_path", "home", "temp_dir", "exec_path", "domain_host"})


def place(name, output="app"):
    return Key(output, "", name, Field.CONTENT)


def test_what_shows_in_the_same_builds_follows_from_the_place_whose_values_tell_its_cause():
    seen = [Observation(PATHS, True), Observation(NONE, False), Observation(HALF, True), Observation(ALL, False)]
    path = case(("build_path", Strength.WEAK), observations=seen)
    offset, elsewhere, other = case(observations=seen), case(observations=seen), case(observations=seen[:2])
    let_follow(
        {place("strings"): path, place("offset"): offset, place("x", "lib"): elsewhere, place("y"): other}, PATHS
    )
    assert conclude(offset, PATHS) == [("build_path", False)]
    assert "follows from another place" in offset.suspicions[0].why
    assert [conclude(one, PATHS) for one in (elsewhere, other)] == [[("unknown", False)]] * 2


def test_without_a_build_in_which_it_is_gone_nothing_follows():
    seen = [Observation(PATHS, True), Observation(HALF, True)]
    path, offset = case(("build_path", Strength.WEAK), observations=seen), case(observations=seen)
    let_follow({place("strings"): path, place("offset"): offset}, PATHS)
    assert conclude(offset, PATHS) == [("unknown", False)]


def test_code_follows_from_no_path_that_only_debuggers_read():
    seen = [Observation(PATHS, True), Observation(NONE, False), Observation(HALF, True), Observation(ALL, False)]
    path, code, size = (case(*found, observations=seen) for found in ([("build_path", Strength.WEAK)], [], []))
    names = (
        "ELF section .debug_line_str, string 1",
        "ELF section .text, byte 0x3ba",
        "ELF section .debug_info, byte 0x1",
    )
    let_follow(dict(zip(map(place, names), (path, code, size), strict=True)), PATHS)
    assert conclude(size, PATHS) == [("build_path", False)]
    assert conclude(code, PATHS) == [("unknown", False)]


def test_what_may_follow_from_several_follows_from_the_same_member():
    seen = [Observation(PATHS, True), Observation(NONE, False), Observation(HALF, True), Observation(ALL, False)]
    one, other, size = (case((cause, Strength.WEAK), observations=seen) for cause in ("home", "build_path", "x"))
    size.suspicions = []
    far, near, offset = (
        Key("a.zip", member, where, Field.CONTENT) for member, where in (("b", "1"), ("a", "2"), ("a", "3"))
    )
    let_follow({far: one, near: other, offset: size}, PATHS)
    assert conclude(size, PATHS) == [("build_path", False)]


def together(*shown, hidden=()):
    """Return what builds show that vary the groups `shown`, and those that vary `hidden` ones, where it does not."""
    return [
        *(Observation(frozenset(group), True, again=True) for group in shown),
        *(Observation(frozenset(group), False) for group in hidden),
    ]


PAIR = together(
    PATHS,
    *[PATHS - {name} for name in ("time", "home", "user_group", "timezone", "exec_path", "temp_dir")] * 2,
    {"hash_seed", "build_path"},
    hidden=[NONE, HALF, ALL, {"hash_seed"}, {"build_path"}, PATHS - {"hash_seed"}, PATHS - {"build_path"}] * 2,
)


ALONE = together(
    *[PATHS, ALL, {"hash_seed"}, PATHS - {"time"}] * 2, hidden=[NONE, HALF, {"build_path"}, PATHS - {"hash_seed"}] * 2
)


def test_what_needs_two_variations_together_has_both_for_causes():
    assert conclude(case(observations=PAIR), PATHS) == [("build_path", True), ("hash_seed", True)]


def test_of_two_variations_it_needs_the_one_is_named_that_is_the_cause_of_other_places():
    order, element = case(observations=ALONE), case(observations=PAIR)
    let_follow({place("line 3"): order, place("line 5"): element}, PATHS)
    assert conclude(order, PATHS) == conclude(element, PATHS) == [("hash_seed", True)]
    assert element.elsewhere == ("hash_seed",)
    # That says nothing of how likely it is.
    assert not element.suspicions


def test_what_shows_in_some_builds_of_a_known_cause_is_not_called_random():
    some = together(
        PATHS,
        PATHS - {"time"},
        {"hash_seed", "time"},
        hidden=[NONE, HALF, {"hash_seed"}, PATHS - {"hash_seed"}, PATHS - {"home"}],
    )
    order, element, lonely = case(observations=ALONE), case(observations=some), case(observations=some)
    let_follow({place("line 3"): order, place("line 5"): element}, PATHS)
    assert conclude(element, PATHS) == [("hash_seed", False)]
    assert conclude(lonely, PATHS) != [("hash_seed", True)]


def test_what_is_equal_while_the_clock_stands_still_is_no_race_for_pairs_of_builds_in_one_second():
    always = [Observation(PATHS, True), Observation(NONE, True, again=False), Observation(PATHS, True, again=False)]
    identifier = case(("time", Strength.WEAK), ("random", Strength.GUESS), observations=always)
    identifier.parallel, identifier.pairs = True, [True, True]
    assert conclude(identifier, PATHS) == [("race", False)]
    identifier.observations.append(Observation(NONE, False, stopped=True))
    assert conclude(identifier, PATHS)[0][0] == "time"


def test_what_debuggers_read_follows_from_what_they_read_and_a_guess_from_what_is_told_by_values():
    names, half = PATHS | {"aslr"}, HALF | {"aslr"}
    seen = [Observation(names, True), Observation(NONE, False), Observation(half, True), Observation(ALL, False)]
    guess, code, path, offset = (
        case(*found, observations=seen)
        for found in (
            [("aslr", Strength.WEAK)],
            [("home", Strength.STRONG)],
            [("build_path", Strength.STRONG)],
            [],
        )
    )
    where = (
        "ELF section .text, byte 0x3",
        "ELF section .rodata, byte 0x1",
        "ELF section .debug_line_str, string 1",
        "ELF section .debug_info, byte 0x1",
    )
    let_follow(dict(zip(map(place, where), (guess, code, path, offset), strict=True)), names)
    assert "whose cause is home" in guess.suspicions[0].why
    assert "whose cause is build_path" in offset.suspicions[0].why


@pytest.mark.parametrize(
    ("leaders", "left_out"), [(("timezone",), "timezone"), (("user_group", "timezone"), "timezone")]
)
def test_whether_it_follows_is_asked_where_it_has_only_shown_with_places_of_known_causes(leaders, left_out):
    """And from which of several: without the cause of one, only the other still shows."""
    groups = [MANY, NONE, frozenset({"hash_seed", "terminal", "network", "pid", "kernel", "aslr", "exec_path"})]
    seen = [Observation(group, group == MANY) for group in groups]
    cases = {place(f"line {cause}"): case((cause, Strength.STRONG), observations=seen) for cause in leaders}
    other = cases[place("line 9")] = case(observations=seen)
    other.place = replace(other.place, control=b"one", experiment=b"another")
    assert still_open(cases, MANY) == {place("line 9")}
    for one, cause in zip(cases.values(), (*leaders, "timezone"), strict=True):
        one.observations.append(Observation(MANY - {left_out}, cause != left_out))
    assert still_open(cases, MANY) == set()
    let_follow(cases, MANY)
    assert conclude(other, MANY)[0][0] == "timezone"


def test_whether_a_digit_follows_is_asked_several_times_since_it_may_agree_by_luck():
    seen = [Observation(MANY, True), Observation(NONE, False), Observation(HALF, False)]
    cases = {place("line 1"): case(("timezone", Strength.STRONG), observations=seen)}
    cases[place("line 9")] = case(observations=seen)
    asked = 0
    while still_open(cases, MANY) and asked < 20:
        asked += 1
        for one in cases.values():
            one.observations.append(Observation(MANY - {"timezone"}, False))
    assert asked == MOST_REPEATS


def test_several_causes_are_not_settled_before_a_build_without_them_all():
    names = ("home", "timezone", "umask", "user_group")
    rest = MANY - {*names}
    known = case(*((name, Strength.CERTAIN) for name in names), observations=[Observation(MANY, True)])
    known.observations += [Observation(NONE, False)]
    known.observations += [Observation(frozenset({name}), True, again=False) for name in names]
    known.observations.append(Observation(rest - {"time"}, False))
    asked = known.ask(MANY)
    assert not is_settled(asked, known.evident)
    assert rest in next_groups(asked, known.evident)
    known.observations.append(Observation(rest, False))
    assert is_settled(known.ask(MANY), known.evident)


def test_what_entails_a_sure_cause_is_not_asked_about_without_it():
    """Another order of files needs another file system, so that no build can rule it out beside that."""
    everything = MANY | {"filesystem", "fileordering"}
    names = ("filesystem", "home", "user_group")
    known = case(*((name, Strength.CERTAIN) for name in names), observations=[Observation(everything, True)])
    known.observations += [Observation(NONE, False)]
    known.observations += [Observation(frozenset({name}), True, again=False) for name in names]
    known.observations.append(Observation(everything - {*names, "fileordering"}, False))
    assert is_settled(known.ask(everything), known.evident)


def test_a_duration_that_was_the_same_twice_is_told_by_a_build_that_varies_nothing():
    """It would be called random: it differs by itself, and between the control and the experiment it did not."""
    line = case(("build_path", Strength.CERTAIN), observations=[Observation(MANY, True)])
    told = [Suspicion(one, Strength.STRONG, "0.1", "0.2", "so") for one in ("duration", "timezone")]
    given = SimpleNamespace(
        control=None,
        look=lambda *_: {place("line 1"): line.place},
        suspect=lambda *_: told,
        twins=None,
        everything=MANY,
    )
    _observe({place("line 1"): line}, given, NONE, SimpleNamespace(status=BuildStatus.OK))
    assert line.evident == ["build_path", "duration"]
