"""What must hold of a thousand runners that share a link."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from farm_stampede import Load, build_cold, fetch, share_bandwidth

moments = st.lists(st.floats(0, 1000), min_size=1, max_size=50)
rates = st.floats(1, 100)


@given(moments, rates, rates)
def test_no_transfer_is_faster_than_it_can_be(starts: list[float], total: float, each: float) -> None:
    ends = share_bandwidth(starts, 50.0, total, each)
    fastest = 50.0 / min(each, total)
    assert all(end - start >= fastest - 1e-6 for start, end in zip(starts, ends, strict=True))
    assert max(ends) >= min(starts) + 50.0 * len(starts) / total - 1e-6
    assert max(ends) <= max(starts) + 50.0 * len(starts) / min(each, total) + 1e-6


@given(moments, rates)
def test_those_who_come_first_end_first(starts: list[float], total: float) -> None:
    ends = share_bandwidth(sorted(starts), 50.0, total, 100.0)
    assert all(one <= other + 1e-9 for one, other in itertools.pairwise(ends))


def test_all_at_once_wait_for_the_whole_link() -> None:
    waits = fetch(Load(runners=100, needed=10.0, server=50.0), warm=False, jitter=0.0)
    assert waits == pytest.approx([20.0] * 100)


def test_warming_early_enough_leaves_nothing_to_wait_for() -> None:
    load = Load(runners=100, needed=10.0, server=50.0, lead=30.0)
    assert max(fetch(load, warm=True, jitter=0.0)) == 0.0
    assert max(fetch(Load(runners=100, needed=10.0, server=50.0, lead=5.0), warm=True, jitter=0.0)) == pytest.approx(
        15.0
    )


def test_what_one_runner_has_verified_the_later_ones_find() -> None:
    alone, _ = build_cold(Load(runners=1), jitter=0.0)
    at_once, _ = build_cold(Load(runners=100), jitter=0.0)
    spread, _ = build_cold(Load(runners=100), jitter=3600.0)
    assert alone == 20
    assert spread < at_once
    assert at_once <= 100 * 20
