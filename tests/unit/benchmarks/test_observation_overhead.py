"""The benchmark of what observing a session costs."""

from pathlib import Path

import pytest

from pytest_ftc.model.timing.collector import Collector, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace


@pytest.fixture
def overhead(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    import observation_overhead

    return observation_overhead


@pytest.fixture
def restored(monkeypatch):
    """Takes back what is put in the place of the collector's methods."""
    for name in ("phase", "add"):
        monkeypatch.setattr(Collector, name, getattr(Collector, name))


def test_the_session_that_others_are_compared_with_collects_nothing(overhead, restored):
    def collect():
        with Collector(start_trace({})).collecting() as phases, timing().phase(PhaseKind.BUILD, "a", role="control"):
            timing().add(PhaseKind.SETUP, "", 0, 1)
        return phases

    assert len(collect()) == 2
    exec(overhead.WITHOUT.conftest, {})
    assert collect() == []


def test_every_configuration_is_a_project_of_twenty_builds(overhead, tmp_path):
    from pytest_ftc.config.project import load_project

    for one in (overhead.WITHOUT, *overhead.CONFIGURATIONS):
        overhead.make_project(tmp_path, one)
        assert len(load_project(tmp_path, {}).artifacts) * 2 == 20


def test_ratios_become_percent_around_their_median(overhead):
    assert overhead.summarize([1.01, 1.02, 1.03]) == " +2.00 % (+1.00 to +3.00)"
