"""Digests that follow from other places, as the builds show in which they differ."""

import pytest

from pytest_ftc.diagnosis.canaries.random_tokens import LOOK_COMPUTED
from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.following.computed import find_computed
from pytest_ftc.diagnosis.following.conclude import note_late_sources
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Cause, Field, Place, Strength, Suspicion

EVERYTHING = frozenset({"user_group", "build_path", "umask", "hash_seed"})
NOTHING = frozenset()
GROUPS = [
    EVERYTHING,
    NOTHING,
    NOTHING,
    *(frozenset({name}) for name in sorted(EVERYTHING)),
    EVERYTHING - {"user_group"},
]
USER, FOLDER, DIGEST = (Key("out", "", f"line {number}", Field.CONTENT) for number in (1, 2, 3))
DIGESTS = b"md5 efe3b05b65c62b2cd274b9854e3d3c55", b"md5 ea5342276bde11b8f207e4abc9139575"


def case(causes, values=(b"one", b"other"), *, groups=GROUPS, evident=()):
    """Return a case that shows where one of `causes` is varied, or always with the cause `random`."""
    place = Place(field=Field.CONTENT, location="", control=values[0], experiment=values[1])
    found = [Suspicion(cause, Strength.STRONG, "", "", "") for cause in evident]
    shows = [bool(group & causes) or "random" in causes for group in groups]
    return Case(place, found, [Observation(group, one) for group, one in zip(groups, shows, strict=True)])


def evident(cause, groups=GROUPS):
    return case({cause}, groups=groups, evident=(cause,))


def beside(digest, key=DIGEST, groups=GROUPS):
    return {USER: evident("user_group", groups), FOLDER: evident("build_path", groups), key: digest}


def test_a_digest_that_differs_just_when_other_places_do_follows_from_them():
    cases = beside(case({"user_group", "build_path"}, DIGESTS))
    (found,) = find_computed(cases, EVERYTHING).items()
    assert found[0] == DIGEST
    assert (found[1].sources, found[1].asks) == ([USER, FOLDER], NOTHING)


def test_it_follows_only_from_the_places_with_which_it_differs():
    found = find_computed(beside(case({"build_path"}, DIGESTS)), EVERYTHING)
    assert found[DIGEST].sources == [FOLDER]


def test_a_digest_may_be_of_another_output():
    key = Key("sums", "", "line 1", Field.CONTENT)
    found = find_computed(beside(case({"user_group", "build_path"}, DIGESTS), key), EVERYTHING)
    assert found[key].sources == [USER, FOLDER]


@pytest.mark.parametrize("causes", [{"hash_seed"}, {"user_group", "hash_seed"}, {"random"}])
def test_a_digest_that_differs_when_nothing_else_does_follows_from_nothing(causes):
    assert find_computed(beside(case(causes, DIGESTS)), EVERYTHING) == {}


@pytest.mark.parametrize(
    "values",
    [
        (b"port 12345678", b"port 87654321"),
        (b"efe3b05b65c62b2cd274", b"ea5342276bde11b8f207e4"),
        (b"efe3b05b65c62b2cd274 one", b"ea5342276bde11b8f207 two"),
        (b"amber and beige", b"beige and amber"),
        (b"", b"efe3b05b65c62b2cd274"),
    ],
)
def test_what_is_no_digest_follows_from_nothing(values):
    assert find_computed(beside(case({"user_group", "build_path"}, values)), EVERYTHING) == {}


def test_what_has_a_known_cause_is_no_digest_of_unknown_contents():
    known = case({"user_group"}, DIGESTS, evident=("user_group",))
    assert find_computed(beside(known), EVERYTHING) == {}


def test_a_build_is_asked_for_that_varies_none_of_the_known_causes():
    groups = [EVERYTHING, NOTHING, *(frozenset({name}) for name in ("build_path", "user_group", "umask")), NOTHING]
    cases = beside(case({"user_group", "build_path"}, DIGESTS, groups=groups), groups=groups)
    found = find_computed(cases, EVERYTHING)
    assert found[DIGEST].asks == EVERYTHING - {"build_path", "user_group"}
    note_late_sources(cases, EVERYTHING)
    assert not cases[DIGEST].sources


def test_later_builds_may_refute_it():
    cases = beside(case({"user_group", "build_path"}, DIGESTS))
    note_late_sources(cases, EVERYTHING)
    assert cases[DIGEST].sources == [USER, FOLDER]
    for key, one in cases.items():
        one.observations.append(Observation(frozenset({Cause.UMASK}), key == DIGEST))
    note_late_sources(cases, EVERYTHING)
    assert not cases[DIGEST].sources


def test_a_digest_of_what_has_no_known_cause_is_asked_about_like_any_other_place():
    few = [EVERYTHING, NOTHING, EVERYTHING - {"user_group"}]
    for groups in (few, [*few, EVERYTHING]):
        digest = case({"umask", "hash_seed"}, DIGESTS, groups=groups)
        cases = {FOLDER: case({"umask", "hash_seed"}, groups=groups), DIGEST: digest}
        assert find_computed(cases, EVERYTHING) == {}


@pytest.mark.parametrize(("strength", "is_known"), [(Strength.STRONG, True), (Strength.GUESS, False)])
def test_what_shows_only_with_all_varied_is_asked_about_if_the_cause_beside_it_is_known(strength, is_known):
    groups = [EVERYTHING, NOTHING, frozenset({"hash_seed"})]
    leader = case({"user_group"}, groups=groups)
    leader.suspicions = [Suspicion(Cause.USER_GROUP, strength, "user of a", "user of b", "")]
    cases = {USER: leader, DIGEST: case({"build_path"}, DIGESTS, groups=groups)}
    found = find_computed(cases, EVERYTHING)
    assert {key: one.asks for key, one in found.items()} == ({DIGEST: EVERYTHING - {"user_group"}} if is_known else {})


def test_a_digest_is_likelier_of_a_path_than_of_what_is_as_hidden():
    one, other = DIGESTS
    drawn = [Suspicion(Cause.RANDOM, Strength.GUESS, "", "", LOOK_COMPUTED[1])]
    place = Place(field=Field.CONTENT, location="", control=one, experiment=other)
    digest = Case(place, drawn, [Observation(EVERYTHING, True), Observation(NOTHING, False)]).believe(EVERYTHING)
    assert digest.probability("build_path") > 1.5 * digest.probability("hash_seed")
    assert digest.probability("build_path") < 0.7


def test_what_agrees_in_few_builds_may_agree_by_luck_and_is_asked_about_again():
    others = EVERYTHING - {"build_path"}
    for repeats, asks in ((1, others), (2, others), (3, NOTHING)):
        groups = [EVERYTHING, NOTHING, *[others, frozenset({"build_path"})] * repeats]
        cases = {FOLDER: evident("build_path", groups), DIGEST: case({"build_path"}, DIGESTS, groups=groups)}
        cases[FOLDER].suspicions = [Suspicion(Cause.BUILD_PATH, Strength.STRONG, "/ftc-build-a", "/ftc-build-b", "")]
        assert find_computed(cases, EVERYTHING)[DIGEST].asks == asks, repeats
