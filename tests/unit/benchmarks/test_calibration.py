"""The cases that the calibration simulates."""

import random

from benchmarks.calibration import EVERYTHING, Case, build, draw_case, experiment, simulate

COIN = Case("", 0.5, 1, ())


def test_two_of_five_cases_have_a_cause_and_the_rates_of_the_others_are_spread():
    cases = [draw_case(random.Random(seed)) for seed in range(2000)]
    rates = [case.rate for case in cases if not case.cause]
    assert 1100 < len(rates) < 1300
    assert 350 < sum(bool(case.beside) for case in cases) < 450
    assert min(rates) < 0.05 < 0.95 < max(rates)


def test_a_case_of_the_same_name_is_the_same():
    assert simulate("7-1") == simulate("7-1")
    assert simulate("7-1") != simulate("8-1")


def test_a_cause_shows_whenever_it_is_varied_and_chance_at_its_rate():
    chance = random.Random(1)
    assert [build(Case("umask", 1.0, 1, ()), varied, chance) for varied in (EVERYTHING, frozenset())] == [1, 0]
    assert 400 < sum(build(COIN, frozenset(), chance) for _ in range(1000)) < 600


def test_chance_beside_a_cause_gives_both_their_values():
    chance = random.Random(1)
    both = Case("", 1.0, 1, (), beside="umask")
    assert build(both, frozenset(), chance) == 1
    assert build(both, EVERYTHING, chance) == 3
    assert both.causes == ("", "umask")


def test_what_agreed_before_the_experiment_that_differs_is_no_more_than_five_builds():
    chance = random.Random(1)
    earlier = [len(experiment(COIN, chance)) - 1 for _ in range(2000)]
    assert set(earlier) == set(range(6))
    # All that were slow, and half of those that were quick.
    assert 1400 < earlier.count(0) < 1600
