"""How likely causes and remedies are after builds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.hypotheses import MISS, Hypothesis, Kind
from pytest_ftc.diagnosis.posterior import (
    SURE,
    Question,
    believe,
    race_probability,
    weigh,
)
from pytest_ftc.model import Strength, Suspicion
from pytest_ftc.variations import CATALOGUE

NAMES = tuple(variation.name for variation in CATALOGUE)
ALL = frozenset(NAMES)
NONE = frozenset()
TWO_VALUES = ((1.0, 0.5),)


def belief(*observations, **evidence):
    return believe(Question(ALL, tuple(sorted(evidence.items())), (Observation(ALL, True), *observations)))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from(NAMES)), st.booleans()), max_size=6))
def test_weights_sum_to_one_whatever_was_seen(seen):
    told = belief(*(Observation(frozenset(group), shows) for group, shows in seen))
    assert sum(weight for _, weight in told.weights) == pytest.approx(1, abs=1e-5)


@given(st.sampled_from(list(Kind)), st.floats(0.01, 0.99), st.sets(st.sampled_from(NAMES)))
def test_the_outcomes_of_a_build_sum_to_one(kind, rate, varied):
    one = Hypothesis(kind, frozenset({"time", "umask"}), rate, 3.0)
    assert sum(one.chances(frozenset(varied), 0.0)) == pytest.approx(1)


def test_one_of_many_that_fits_by_luck_is_not_confirmed():
    seen = [Observation(NONE, False), Observation(ALL - {"umask"}, False)]
    lucky = [*seen, *[Observation(frozenset({"umask"}), True, again=True), Observation(NONE, False)] * 2]
    assert belief(*lucky).probability("umask") < SURE
    more = [Observation(frozenset({"umask"}), True, again=True), Observation(ALL - {"umask"}, False)] * 3
    assert belief(*lucky, *more).probability("umask") >= SURE


def test_two_hits_of_the_clock_are_no_proof_where_values_are_few():
    hits = [Observation(NONE, False, lead=lead) for lead in (0.0, 0.3)]
    few = [Observation(NONE, True, again=True), Observation(NONE, False)]
    assert belief(*few, *hits).by_kind(Kind.CLOCK) < 0.5
    many = [Observation(NONE, True, again=False)] * 3
    assert belief(*many, *hits, *hits).by_kind(Kind.CLOCK) >= SURE


def test_what_differs_at_the_time_of_the_control_too_is_random():
    misses = [Observation(NONE, True, again=False, lead=lead) for lead in (0.0, 0.3)]
    assert belief(Observation(NONE, True, again=False), *misses).by_kind(Kind.RANDOM) >= SURE


def test_short_values_match_by_chance():
    digit, number, token = (
        weigh([Suspicion("pid", strength, *values, "so")])[0][1]
        for strength, values in (
            (Strength.STRONG, ("1", "7")),
            (Strength.STRONG, ("1700000000", "1800000000")),
            (Strength.CERTAIN, ("qwertz", "zxcvbn")),
        )
    )
    assert digit < number < token


def test_a_race_is_told_from_few_values_by_several_pairs_on_one_cpu():
    assert race_probability(TWO_VALUES, [True]) < SURE
    assert race_probability(TWO_VALUES, [True] * 12) >= SURE
    assert race_probability(TWO_VALUES, [False] * 4) < 0.1


def test_experiments_that_agreed_by_luck_are_evidence_of_chance():
    agreed = [Observation(ALL, False, fresh=True)] * 3
    seen = [Observation(NONE, False), Observation(ALL - {"home"}, False), Observation(frozenset({"home"}), True)]
    # The posterior odds of a cause fall.
    told, before = (belief(*first, *seen).by_kind(Kind.ANY) for first in (agreed, ()))
    assert told / (1 - told) < before / (1 - before) / 2
    assert belief(*agreed, *seen).probability("home") < belief(*seen).probability("home")


def test_an_experiment_with_another_value_that_agrees_does_not_rule_a_cause_out():
    # A set of two elements has two orders: every other seed gives that of the control.
    agreed = [Observation(ALL, False, fresh=True)] * 2
    alone, without = Observation(frozenset({"hash_seed"}), True, again=True), Observation(ALL - {"hash_seed"}, False)
    assert belief(*agreed, *[alone, without] * 6).probability("hash_seed") >= SURE


def test_four_causes_that_each_act_alone_are_told_though_one_is_varied_with_another():
    causes = {"fileordering", "source_mode", "source_mtime", "user_group"}
    same = ("", "locales network terminal", "filesystem", "exec_path filesystem kernel timezone", "temp_dir", "umask")
    same = (*same, "home pid", "environment", "domain_host")
    shown = (
        "fileordering filesystem hash_seed locales network num_cpus terminal",
        "fileordering filesystem",
        "domain_host environment home pid temp_dir user_group",
        "temp_dir user_group",
        "domain_host environment home pid source_mode source_mtime",
        "build_path domain_host environment home pid source_mode source_mtime umask",
        "build_path source_mtime",
        "source_mtime",
    )
    left_out = ({"fileordering"}, {"fileordering", "user_group"}, causes - {"source_mtime"}, causes - {"source_mode"})
    seen = [Observation(frozenset(names.split()), False) for names in same]
    seen += [Observation(ALL - causes, False)] * 2
    seen += [Observation(ALL - {name}, True, again=True) for name in ("num_cpus", "aslr", "hash_seed")]
    seen += [Observation(frozenset(names.split()), True, again=False) for names in shown]
    seen += [Observation(ALL - names, True, again=False) for names in (*left_out, *left_out)]
    told = belief(*seen)
    assert all(told.probability(name) > 0.8 for name in causes)
    assert all(told.probability(name) < 0.05 for name in ALL - causes)


@given(st.sampled_from(list(Kind)), st.floats(0.01, 0.99), st.sets(st.sampled_from(NAMES)))
def test_the_outcomes_of_a_build_with_other_values_sum_to_one(kind, rate, varied):
    one = Hypothesis(kind, frozenset({"time", "umask"}), rate, 3.0)
    assert sum(one.chances(frozenset(varied), fresh=True)) == pytest.approx(1)


def test_what_two_builds_share_while_the_clock_stands_still_follows_from_it():
    seen = [Observation(NONE, True, again=False)] * 2
    same, other = Observation(NONE, False, stopped=True), Observation(NONE, True, stopped=True)
    assert belief(*seen, same).by_kind(Kind.CLOCK) > 0.5
    assert belief(*seen, *[same] * 5).by_kind(Kind.CLOCK) >= SURE
    assert belief(*seen, other).by_kind(Kind.RANDOM) >= SURE
    # One of two values is often the same by chance.
    few = [Observation(NONE, True, again=True), Observation(NONE, False)]
    assert belief(*few, same).by_kind(Kind.CLOCK) < 0.5


def test_few_values_such_as_a_length_may_follow_from_the_time():
    few = [Observation(NONE, shows, again=True if shows else None) for shows in (True, False, True, False)]
    same, other = Observation(NONE, False, stopped=True), Observation(NONE, True, stopped=True)
    assert belief(*few).by_kind(Kind.RANDOM) < SURE
    assert belief(*few, *[same] * 7).by_kind(Kind.CLOCK) > 0.5
    assert belief(*few, *[same] * 2, other, other).by_kind(Kind.RANDOM) >= SURE


@given(st.booleans(), st.sampled_from(list(Kind)), st.floats(0.01, 1.0))
def test_outcomes_while_the_clock_stands_still_are_probabilities(beside, kind, rate):
    one = Hypothesis(kind, frozenset({"umask"}) if beside else NONE, rate=rate, others=3.0)
    chances = one.chances(NONE, stopped=True)
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0


def test_a_time_by_a_varied_clock_is_not_the_same_because_two_builds_start_in_one_second():
    seen = belief(Observation(NONE, True, again=False), Observation(ALL, True, again=False))
    by_luck = [sum(weight * rate for weight, rate in seen.luck(follows_varied_clock=told)) for told in (False, True)]
    assert 0 < by_luck[0] - by_luck[1] <= seen.by_kind(Kind.CLOCK) * (0.02 - MISS)
