"""How much builds are expected to tell."""

from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.information import after_the_likeliest, information
from pytest_ftc.diagnosis.posterior import Belief, Hypothesis, Kind, Question, believe
from pytest_ftc.variations import CATALOGUE

NAMES = tuple(variation.name for variation in CATALOGUE)
ALL = frozenset(NAMES)
NONE = frozenset()
GROUPS = st.sets(st.sampled_from(NAMES)).map(frozenset)


def belief(*observations, **evidence):
    return believe(Question(ALL, tuple(sorted(evidence.items())), (Observation(ALL, True), *observations)))


def test_a_build_that_tells_nothing_has_no_information():
    told = belief(Observation(NONE, False), Observation(ALL - {"umask"}, False), umask=2000.0)
    assert information(told, [ALL])[ALL] < 0.02 < information(belief(), [NONE])[NONE]


def test_a_build_that_halves_two_equal_causes_tells_a_bit():
    umask, home = frozenset({"umask"}), frozenset({"home"})
    told = Belief(((Hypothesis(Kind.ANY, umask), 0.5), (Hypothesis(Kind.ANY, home), 0.5)))
    assert information(told, [umask])[umask] == pytest.approx(1, abs=0.02)
    assert information(told, [umask | home])[umask | home] == pytest.approx(0, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(GROUPS, st.booleans()), max_size=3), st.lists(GROUPS, min_size=1, max_size=3))
def test_it_is_the_mutual_information_of_cause_and_outcome(seen, groups):
    told = belief(*(Observation(group, shows) for group, shows in seen))
    for group, bits in information(told, groups).items():
        joint = {}
        for one, weight in told.weights:
            for number, chance in enumerate(one.chances(group)):
                key = one.names or one.kind, number
                joint[key] = joint.get(key, 0.0) + weight * chance
        causes, outcomes = ({} for _ in range(2))
        for (cause, number), weight in joint.items():
            causes[cause] = causes.get(cause, 0.0) + weight
            outcomes[number] = outcomes.get(number, 0.0) + weight
        expected = sum(w * log2(w / causes[cause] / outcomes[number]) for (cause, number), w in joint.items() if w)
        assert bits == pytest.approx(expected, abs=1e-4)


def test_the_likeliest_outcome_of_a_cause_that_is_varied_is_that_it_shows():
    told = belief(umask=1e6)
    assert after_the_likeliest(told, frozenset({"umask"})).probability("umask") > told.probability("umask")
