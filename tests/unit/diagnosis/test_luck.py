"""Remedies that help, told from those with which builds agree by luck."""

import pytest

from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.luck import Trial
from pytest_ftc.diagnosis.posterior import Question, believe
from pytest_ftc.variations import CATALOGUE

ALL = frozenset(variation.name for variation in CATALOGUE)
NONE = frozenset()
TWO_VALUES = ((1.0, 0.5),)


def belief(*observations, **evidence):
    return believe(Question(ALL, tuple(sorted(evidence.items())), (Observation(ALL, True), *observations)))


def tried(luck, *pairs, cause="umask"):
    trial = Trial(luck, cause)
    for equal in pairs:
        trial = trial.with_pair(equal=equal)
    return trial


def least(luck, *, cause="umask", choices=1):
    """Return how many equal pairs are proof."""
    return next(count for count in range(40) if tried(luck, *[True] * count, cause=cause).is_proved(choices))


def test_a_remedy_for_one_of_two_values_needs_ten_equal_pairs():
    assert least(TWO_VALUES) == 10
    assert least(TWO_VALUES, choices=3) == 11
    assert least(((1.0, 0.0),)) == 1


def test_what_differs_by_itself_needs_at_least_five_and_more_where_few_remedies_help():
    assert least(((1.0, 0.0),), cause="random") == 5
    assert least(TWO_VALUES, cause="random") > least(TWO_VALUES)


@pytest.mark.parametrize("spread", [0.1, 0.2, 0.3])
def test_a_rate_known_roughly_needs_more_than_one_known_exactly(spread):
    assert least(((0.5, 0.5 - spread), (0.5, 0.5 + spread))) > least(TWO_VALUES)


def test_one_equal_pair_proves_a_remedy_for_a_cause_that_is_known():
    known = belief(Observation(NONE, False), Observation(ALL - {"umask"}, False), umask=1e6)
    assert least(known.luck()) == 1
    unknown = belief(Observation(NONE, False))
    assert least(unknown.luck()) > 1


def test_pairs_that_agreed_with_a_remedy_that_failed_show_how_often_they_do_by_luck():
    rough = ((0.9, 0.1), (0.1, 0.7))
    failed = tried(rough, True, True, True, False)
    assert least(failed.of_another().luck) > least(rough)
    assert failed.of_another().equal == 0


def test_a_pair_that_differs_later_refutes_a_remedy_that_luck_may_have_proved():
    enough = [True] * least(TWO_VALUES)
    assert tried(TWO_VALUES, *enough).is_proved(1)
    assert not tried(TWO_VALUES, *enough, False).is_proved(1)
    # Where the cause is sure, it was another remedy, tried beside it.
    assert tried(((0.99999, 1e-4), (1e-5, 0.5)), True, False).is_proved(1)


def test_whether_it_can_be_proved_at_all():
    assert Trial(TWO_VALUES, "umask").can_be_proved(10)
    assert not Trial(((1.0, 0.95),), "umask").can_be_proved(14)
