"""What must hold of the simulated farm whatever its parameters are."""

from __future__ import annotations

import statistics
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from farm_simulation import Costs, Draws, Scenario, draw_plot, simulate

COSTS = Costs()
FREE = replace(COSTS, gap=0.0, start=0.0, client=0.0, client_call=0.0, server=0.0, source_mb=0.0, mismatches=0.0)
"""Nothing costs time but the builds."""

seeds = st.integers(0, 10**6)
few = st.integers(1, 30)
limited = settings(max_examples=40, deadline=None)


def builds_of(costs: Costs, artifacts: int, seed: int) -> list[tuple[float, float]]:
    """Return the seconds of the two builds of each artifact at their first attempts."""
    draws = [Draws(costs, seed, number) for number in range(artifacts)]
    return [(one.attempt(0, 0)[0], one.attempt(1, 0)[0]) for one in draws]


@limited
@given(few, seeds)
def test_one_worker_that_is_never_lost_takes_exactly_as_long_as_all_builds(artifacts: int, seed: int) -> None:
    outcome = simulate(FREE, Scenario(artifacts=artifacts, workers=1), seed)
    assert outcome.makespan == pytest.approx(sum(map(sum, builds_of(FREE, artifacts, seed))))
    assert outcome.worked == pytest.approx(outcome.makespan)


@limited
@given(seeds)
def test_one_artifact_takes_exactly_its_steps(seed: int) -> None:
    costs = replace(COSTS, mismatches=0.0)
    ((control, experiment),) = builds_of(costs, 1, seed)
    called = costs.client_call + costs.server
    before = costs.start + costs.client + costs.source_mb / costs.link_mb_per_second + called
    outcome = simulate(costs, Scenario(artifacts=1, workers=2), seed)
    assert outcome.verdicts == [pytest.approx(before + max(control, costs.gap + called + experiment))]


@limited
@given(few, st.integers(1, 20), st.sampled_from([0.0, 0.05, 0.2, 0.9]), st.booleans(), seeds)
def test_no_work_is_lost_or_made_up(artifacts: int, workers: int, failures: float, hedged: bool, seed: int) -> None:
    scenario = Scenario(artifacts=artifacts, workers=workers, failures=failures, hedged=hedged)
    outcome = simulate(COSTS, scenario, seed)
    assert len(outcome.verdicts) + outcome.without == artifacts
    assert outcome.verdicts == sorted(outcome.verdicts)
    assert outcome.used <= outcome.worked + 1e-6
    assert outcome.worked <= workers * outcome.makespan + 1e-6
    assert outcome.builds <= outcome.attempts
    if not failures:
        assert outcome.without == 0
        further = sum(Draws(COSTS, seed, number).further for number in range(artifacts))
        assert outcome.builds == 2 * artifacts + further
    if not failures and not hedged:
        assert outcome.attempts == outcome.builds
        assert outcome.used == pytest.approx(outcome.worked)


@limited
@given(st.integers(1, 60), st.sampled_from([0.0, 0.1]), seeds)
def test_more_workers_are_never_slower_on_average(artifacts: int, failures: float, seed: int) -> None:
    # Without a limit, and so that a lost worker never costs a verdict.
    costs = replace(COSTS, retries=50, retries_of_all=10**6)

    def average(workers: int) -> float:
        scenario = Scenario(artifacts=artifacts, workers=workers, failures=failures)
        return statistics.mean(simulate(costs, scenario, seed + number).makespan for number in range(4))

    one, four, sixteen = average(1), average(4), average(16)
    assert one >= 0.999 * four
    assert four >= 0.999 * sixteen


@limited
@given(few, st.integers(1, 10), seeds)
def test_the_same_seed_gives_the_same_outcome(artifacts: int, workers: int, seed: int) -> None:
    scenario = Scenario(artifacts=artifacts, workers=workers, failures=0.1, hedged=True)
    assert simulate(COSTS, scenario, seed) == simulate(COSTS, scenario, seed)


def test_a_budget_of_retries_that_is_used_up_costs_verdicts() -> None:
    scenario = Scenario(artifacts=200, workers=50, failures=0.2)
    lost = [simulate(replace(COSTS, retries_of_all=budget), scenario).without for budget in (0, 20, 1000)]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] > 50
    assert lost[2] < 10


def test_hedging_cuts_the_tail_where_workers_are_free() -> None:
    costs = replace(COSTS, mismatches=0.0, stragglers=0.05)
    plain, hedged = (
        simulate(costs, Scenario(artifacts=300, workers=300, hedged=hedged)).percentile(99) for hedged in (False, True)
    )
    assert hedged < plain


@pytest.mark.parametrize(
    ("changed", "workers", "name"),
    [
        ({"median_build": 30.0}, 4, "workers"),
        ({"client": 1.0}, 500, "client"),
        ({"server": 1.0}, 500, "server"),
        ({"source_mb": 200.0}, 500, "link"),
        ({"open": 2, "median_build": 0.1, "gap": 20.0, "stragglers": 0.0}, 500, "client's limit"),
        ({"median_build": 0.1, "spread_of_builds": 0.1, "mismatches": 0.0, "stragglers": 0.0}, 500, "gap"),
        ({"median_build": 0.1, "spread_of_builds": 0.1, "mismatches": 1.0}, 500, "diagnosis"),
    ],
)
def test_what_holds_it_up_is_named(changed: dict[str, float], workers: int, name: str) -> None:
    costs = replace(COSTS, client=0.001, server=0.001, source_mb=0.01, output_mb=0.01, open=500)
    costs = replace(costs, **changed)  # type: ignore[arg-type]
    assert simulate(costs, Scenario(artifacts=200, workers=workers)).held_up_by == name


def test_the_plot_is_the_same_for_the_same_figures() -> None:
    curves = {10: [(1, 100.0), (10, 20.0)]}
    waits = {"nothing & jitter": [1.0, 2.0, 3.0]}
    text = draw_plot(curves, waits)
    assert text == draw_plot(curves, waits)
    root = ElementTree.fromstring(text)
    lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    assert "nothing & jitter" in [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
