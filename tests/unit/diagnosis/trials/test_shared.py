"""Remedies of one cause that heal another one too."""

import pytest

from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.trials.bench import Outcome
from pytest_ftc.diagnosis.trials.shared import with_shared
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget
from pytest_ftc.model import Field, Place, Remedy

LINE, OTHER = (Key("a.js", "", f"line {number}", Field.CONTENT) for number in (1, 2))
EPOCH = Remedy(summary="SOURCE_DATE_EPOCH", proved=True, tried=True)
ZONE = Remedy(summary="TZ=UTC")


def target(cause: str, key: Key = LINE, rate: float = 0.0) -> RemedyTarget:
    place = Place(field=key.field, location=key.location, control=b"1", experiment=b"2")
    return RemedyTarget(key=key, place=place, cause=cause, known=True, tools=(), luck=((1.0, rate),))


def built(*summaries: str, equal: Key = LINE, settings: tuple[tuple[str, str], ...] = ()):
    remedies = frozenset(Applied(summary, settings, "", "", "", False, "") for summary in summaries)
    return remedies, Outcome(equal=frozenset({equal}))


@pytest.mark.parametrize("untried", [ZONE, None])
def test_what_heals_the_whole_place_is_proved_for_its_other_cause(untried):
    best = {target("time"): EPOCH, target("timezone"): untried}
    assert with_shared(best, [built(EPOCH.summary)])[target("timezone")] == EPOCH


@pytest.mark.parametrize(
    ("given", "builds"),
    [
        ((target("timezone"), ZONE), [built(EPOCH.summary, "umask 022")]),
        ((target("timezone"), ZONE), [built(EPOCH.summary, equal=OTHER)]),
        ((target("timezone", OTHER), ZONE), [built(EPOCH.summary)]),
        ((target("timezone"), Remedy(summary="TZ=UTC", tried=True)), [built(EPOCH.summary)]),
    ],
)
def test_nothing_else_is(given, builds):
    one, remedy = given
    assert with_shared({target("time"): EPOCH, one: remedy}, builds)[one] == remedy


@pytest.mark.parametrize(("pairs", "shared"), [(1, False), (4, False), (12, True)])
def test_a_value_that_may_agree_by_luck_needs_as_many_builds_as_if_it_had_been_tried_for_that(pairs, shared):
    coin = target("random", rate=0.5)
    best = {target("time"): EPOCH, coin: None}
    assert (coin in with_shared(best, [built(EPOCH.summary)] * pairs)) == shared
    # What still differs in one pair is not healed.
    differing = frozenset({Applied(EPOCH.summary, (), "", "", "", False, "")}), Outcome(differing={LINE: coin.place})
    assert coin not in with_shared(best, [*[built(EPOCH.summary)] * pairs, differing])


def test_what_heals_a_time_is_told_for_its_zone_before_what_nobody_tried():
    zone = target("timezone", rate=0.5)
    shared = with_shared({target("time"): EPOCH, zone: ZONE}, [built(EPOCH.summary)] * 2)[zone]
    assert (shared.summary, shared.proved, shared.tried, shared.equal_pairs) == (EPOCH.summary, False, True, 2)


@pytest.mark.parametrize(
    ("option", "rate", "told"),
    [("--sort=name", 0.5, (False, 2)), ("--sort=name", 0.0, (True, 0)), ("--mode=0", 0.5, None), ("", 0.5, None)],
)
def test_what_is_proved_with_more_options_is_told_for_what_one_of_them_mends(option, rate, told):
    settings = {"TAR_OPTIONS": "--sort=name --owner=0"}
    whole = Remedy(summary="tar", settings=settings, proved=True, tried=True)
    part = Remedy(summary="sort", settings={"TAR_OPTIONS": option} if option else {})
    order = target("fileordering", OTHER, rate)
    builds = [built("tar", equal=OTHER, settings=tuple(settings.items()))] * 2
    shared = with_shared({target("user_group"): whole, order: part}, builds)[order]
    assert (shared.summary, shared.proved, shared.equal_pairs) == (("tar", *told) if told else ("sort", False, 0))
    beside = [built("tar", "gzip -n", equal=OTHER, settings=tuple(settings.items()))] * 2
    shared = with_shared({target("user_group"): whole, order: part}, beside)[order]
    assert (shared.proved, shared.equal_pairs) == ((False, 2) if told else (False, 0))
