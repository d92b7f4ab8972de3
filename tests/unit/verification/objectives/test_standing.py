"""Values, budgets and burn rates, worked out by hand."""

import math

import pytest
from observed import DAY, HOUR, NOW, ended, record, verified

from pytest_ftc.config.cost import Prices
from pytest_ftc.config.objectives import ObjectiveSettings
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.observations.database import Observations
from pytest_ftc.verification.objectives.standing import measure_objectives


@pytest.fixture
def observations(tmp_path):
    layout = Layout(tmp_path)
    layout.make()
    return Observations(layout)


def standing(observations, name, *, prices=None, target="default", window=28 * DAY):
    targets = ObjectiveSettings().targets
    if target != "default":
        targets = {**targets, name: target}
    settings = ObjectiveSettings(window=window, targets=targets)
    found = {one.objective.name: one for one in measure_objectives(observations, settings, prices, "/project", NOW)}
    return found[name]


def test_an_empty_history_is_no_data_and_spends_nothing(observations):
    settings = ObjectiveSettings()
    for one in measure_objectives(observations, settings, None, "/project", NOW):
        assert (one.value, one.budget_left, one.spent) == (None, None, False), one.objective.name
        assert set(one.burn.values()) == {None}
        assert one.daily == (None,) * 28


def test_another_project_does_not_count(observations):
    record(observations, verified(project="/other", verdict="failed"))
    assert standing(observations, "build_success").value is None


def test_what_happened_before_the_window_or_will_happen_does_not_count(observations):
    record(observations, verified(), verified(ago=28.01 * DAY, verdict="failed"), verified(ago=-HOUR, verdict="failed"))
    assert standing(observations, "build_success").value == 1.0


def test_build_success_counts_what_was_built(observations):
    built = [verified(ago=DAY * 5) for _ in range(397)]
    record(observations, *built, verified(verdict="failed"), verified(verdict="error", build_seconds=None), verified(verdict="fragile"), *[verified(cached=True) for _ in range(99)])  # fmt: skip
    one = standing(observations, "build_success")
    assert one.value == 398 / 400
    # 0.5 % of 400 may fail: 2 have.
    assert one.budget_left == pytest.approx(0)
    assert not one.spent
    assert one.burn["3d"] == pytest.approx((2 / 3) / 0.005)
    record(observations, verified(verdict="failed"))
    one = standing(observations, "build_success")
    assert one.spent
    assert one.budget_left == pytest.approx(1 - (3 / 401) / 0.005)


def test_burn_rates_are_those_of_their_windows(observations):
    bad, good = {"cached": False}, {"cached": True, "build_seconds": None}
    record(observations, verified(ago=HOUR / 2, **bad), verified(ago=2 * HOUR, **good), verified(ago=DAY, **good), verified(ago=2 * DAY, **good), verified(ago=9 * DAY, **bad))  # fmt: skip
    burn = standing(observations, "cache_hit_rate", target=0.5).burn
    assert burn == {"1h": 1 / 0.5, "6h": 0.5 / 0.5, "3d": 0.25 / 0.5}


def test_verdicts_that_could_not_come_from_the_cache_are_left_out(observations):
    record(observations, verified(cached=None), verified(cached=True))
    assert standing(observations, "cache_hit_rate").value == 1.0


def test_a_percentile_is_the_nearest_rank_and_its_budget_the_share_above(observations):
    record(observations, *(verified(seconds=float(second), build_seconds=float(second)) for second in range(1, 101)))
    assert standing(observations, "verification_time_p95").value == 95.0
    assert standing(observations, "build_time_p95").value == 95.0
    assert standing(observations, "build_time_median").value == 50.0
    assert standing(observations, "build_time_median").budget_left is None
    one = standing(observations, "verification_time_p95", target=98.0)
    assert one.budget_left == pytest.approx(1 - 0.02 / 0.05)
    assert one.burn["1h"] == pytest.approx(0.02 / 0.05)
    assert standing(observations, "verification_time_p95", target=95.0).spent is False
    assert standing(observations, "verification_time_p95", target=94.9).spent is True


def test_cached_verdicts_have_no_build_time(observations):
    record(observations, verified(cached=True, build_seconds=None, seconds=0.01), verified(build_seconds=6.0))
    assert standing(observations, "build_time_p95").value == 6.0
    assert standing(observations, "verification_time_p95").value == 10.0


def test_one_artifact_that_is_not_reproducible_spends_a_budget_of_nothing(observations):
    record(observations, *[verified() for _ in range(9)], verified(verdict="failed"))
    one = standing(observations, "reproducible_share")
    assert (one.value, one.budget_left, one.burn["1h"]) == (1.0, 1.0, 0.0)
    record(observations, verified(verdict="unreproducible", ago=2 * HOUR))
    one = standing(observations, "reproducible_share")
    assert one.value == 0.9
    assert (one.budget_left, one.spent) == (-math.inf, True)
    assert (one.burn["1h"], one.burn["6h"]) == (0.0, math.inf)


def test_writes_and_signings_are_summed_over_sessions(observations):
    record(observations, sessions=[ended(writes=1500, failed_writes=1), ended(writes=500, signings=5, failed_signings=2)])  # fmt: skip
    one = standing(observations, "store_write_success")
    assert one.value == 1999 / 2000
    assert one.budget_left == pytest.approx(0.5)
    assert standing(observations, "failed_signings").value == 2
    assert standing(observations, "failed_signings").spent
    one = standing(observations, "failed_signings", target=4)
    assert one.budget_left == 0.5
    # Two in an hour, where four in four weeks may fail.
    assert one.burn["1h"] == pytest.approx(2 / (4 / (28 * 24)))


def test_without_a_signing_there_is_no_data(observations):
    record(observations, sessions=[ended()])
    assert standing(observations, "failed_signings").value is None


def test_a_mismatch_is_an_incident(observations):
    record(observations, verified(), verified(mismatch=True, verdict="unreproducible"))
    assert standing(observations, "mismatch_incidents").value == 1
    assert standing(observations, "mismatch_incidents").spent


def test_a_commit_is_deployable_with_its_first_reproducible_verdict(observations):
    commit = {"commit": "c" * 40, "committed": NOW - 5 * HOUR}
    record(observations,
        verified(ago=4 * HOUR, verdict="unreproducible", **commit),
        verified(ago=3 * HOUR, **commit),
        verified(ago=HOUR, **commit),
        verified(ago=2 * HOUR),
        verified(ago=HOUR, commit="d" * 40, committed=NOW - 3 * HOUR, cached=True, build_seconds=None),
    )  # fmt: skip
    assert standing(observations, "time_to_deployable").value == 2 * HOUR


def test_a_commit_that_was_deployable_before_the_window_is_not_measured_again(observations):
    commit = {"commit": "c" * 40, "committed": NOW - 31 * DAY}
    record(observations, verified(ago=30 * DAY, **commit), verified(ago=DAY, **commit))
    assert standing(observations, "time_to_deployable").value is None


def test_a_clock_behind_that_of_the_committer_makes_no_negative_time(observations):
    record(observations, verified(ago=HOUR, commit="c" * 40, committed=NOW))
    assert standing(observations, "time_to_deployable").value == 0


def test_the_cost_is_a_mean_over_all_artifacts(observations):
    prices = Prices(per_cpu_hour=3600.0, per_gb=1e9, currency="EUR")
    built, cached = verified(cpu_seconds=8.0, bytes=4), verified(cached=True, cpu_seconds=0.0, bytes=0)
    record(observations, built, cached)
    one = standing(observations, "cost_per_artifact", prices=prices, target=24.0)
    assert (one.value, one.unit) == (6.0, "EUR")
    assert one.budget_left == 0.75
    assert one.burn["1h"] == 0.25
    one = standing(observations, "cost_per_artifact", target=24.0)
    assert (one.value, one.budget_left, one.note) == (None, None, "no prices: [tool.ftc.cost]")


def test_daily_values_end_with_the_last_24_hours(observations):
    record(observations, verified(), verified(ago=2.5 * DAY, verdict="failed"), verified(ago=2.9 * DAY))
    assert standing(observations, "build_success", window=4 * DAY).daily == (None, 0.5, None, 1.0)
    assert standing(observations, "build_time_p95", window=4 * DAY).daily == (None, 4.0, None, 4.0)
    assert standing(observations, "mismatch_incidents", window=4 * DAY).daily == (None, 0.0, None, 0.0)


def test_a_burn_rate_counts_its_whole_time_though_the_window_is_shorter(observations):
    record(observations, verified(), *[verified(ago=2 * DAY, seconds=500.0) for _ in range(3)])
    one = standing(observations, "verification_time_p95", window=DAY)
    # None of the last day is above two minutes, three of four in three days are.
    assert (one.value, one.budget_left) == (10.0, 1)
    assert one.burn["3d"] == pytest.approx(0.75 / 0.05)
    assert one.daily == (10.0,)


def test_without_prices_no_day_has_a_cost(observations):
    record(observations, verified())
    assert standing(observations, "cost_per_artifact").daily == (None,) * 28
