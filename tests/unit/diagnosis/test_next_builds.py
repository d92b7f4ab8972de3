"""The search for what causes a difference, against made-up causes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.group_testing import Observation, comes_by_itself, with_entailed
from pytest_ftc.diagnosis.next_builds import is_settled, next_groups
from pytest_ftc.diagnosis.posterior import SURE, Kind, Question, believe
from pytest_ftc.variations import CATALOGUE

NAMES = tuple(variation.name for variation in CATALOGUE)
ALL = frozenset(NAMES)
NONE = frozenset()
EVIDENT, SUSPECTED = 2000.0, 6.0


def ask(observations, evidence):
    return Question(ALL, tuple(sorted(evidence.items())), tuple(observations))


def search(shows, evidence):
    """Build what is asked for until nothing is; `shows` tells whether a difference shows, and with the same value."""
    observations = [Observation(ALL, True)]
    evident = [name for name in evidence if evidence[name] >= EVIDENT]
    while groups := next_groups(ask(observations, evidence), evident):
        group = with_entailed(groups[0], ALL)
        observations.append(Observation(group, *shows(group)))
    return ask(observations, evidence)


def any_of(causes):
    return lambda group: (bool(causes & group), causes <= group if causes & group else None)


def confirmed(question):
    belief = believe(question)
    return {name for name in ALL if belief.probability(name) >= SURE}


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4))
def test_one_cause_is_found_whatever_is_suspected(cause, suspects):
    question = search(any_of({cause}), dict.fromkeys(suspects, SUSPECTED))
    assert confirmed(question) == {cause}


@pytest.mark.parametrize("cause", sorted(ALL - {"fileordering"}))
def test_with_no_suspicion_fifteen_builds_prove_any_cause(cause):
    question = search(any_of({cause}), {})
    assert confirmed(question) == {cause}
    assert len(question.observations) <= 15


@pytest.mark.parametrize("cause", sorted(ALL - {"filesystem", "fileordering", "aslr"}))
def test_an_evident_suspicion_that_is_right_takes_two_builds(cause):
    question = search(any_of({cause}), {cause: EVIDENT})
    assert confirmed(question) == {cause}
    assert len(question.observations) <= (4 if cause == "time" else 3)


@settings(max_examples=8, deadline=None)
@given(st.sets(st.sampled_from(sorted(ALL - {"fileordering", "filesystem", "aslr"})), min_size=2, max_size=4))
def test_several_causes_that_are_evident_are_found_together(causes):
    question = search(any_of(causes), dict.fromkeys(causes, EVIDENT))
    assert confirmed(question) == causes
    assert is_settled(question, sorted(causes))


def test_two_causes_that_nothing_points_to_are_found_together():
    assert confirmed(search(any_of({"umask", "home"}), {})) == {"umask", "home"}


@pytest.mark.parametrize(("cause", "suspect"), [("filesystem", "fileordering"), ("fileordering", "filesystem")])
def test_another_file_system_is_told_from_another_order_of_files(cause, suspect):
    question = search(any_of({cause}), {suspect: SUSPECTED})
    assert confirmed(question) == {cause}


def test_nothing_is_asked_of_what_is_surely_random():
    seen = [Observation(ALL, True), *[Observation(NONE, True)] * 3]
    assert comes_by_itself(seen)
    assert believe(ask(seen, {})).by_kind(Kind.RANDOM, Kind.CLOCK) >= SURE
    assert next_groups(ask(seen, {}), []) == ()


def test_an_address_is_asked_about_with_nothing_else_varied():
    question = search(any_of({"aslr", "time", "environment", "build_path"}), {"aslr": EVIDENT})
    assert len(question.observations) <= 5
    assert "aslr" in confirmed(question)


@pytest.mark.parametrize("rate", [0.1, 1 / 3, 0.5, 0.7, 0.9])
def test_what_is_random_is_hardly_ever_confirmed_to_have_a_cause(rate):
    wrong = 0
    for seed in range(12):
        draw = random.Random(seed)
        question = search(lambda _, draw=draw: (draw.random() < rate, True), {})
        wrong += bool(confirmed(question))
    assert wrong == 0
