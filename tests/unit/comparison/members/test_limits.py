"""Bounds of one walk."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, LimitReachedError, Limits, OutOfTimeError


@given(st.integers(0, 30), st.integers(0, 30))
def test_members_are_counted_up_to_the_limit_and_the_rest_is_told(count, most):
    budget = Budget(Limits(members=most))
    assert list(budget.few(range(count))) == list(range(min(count, most)))
    assert budget.truncated == (count > most)
    assert list(budget.cut) == [f"only the first {most} members were examined"] * (count > most)


def test_all_containers_share_one_count():
    budget = Budget(Limits(members=3))
    assert [*budget.few("ab"), *budget.few("cd")] == ["a", "b", "c"]


@given(st.lists(st.integers(0, 50), max_size=10))
def test_bytes_are_taken_until_the_limit(sizes):
    budget = Budget(Limits(decompressed=100))
    if sum(sizes) <= 100:
        for size in sizes:
            budget.take_bytes(size)
        assert budget.decompressed == sum(sizes)
        return
    with pytest.raises(LimitReachedError, match="more than 100 decompressed bytes"):
        for size in sizes:
            budget.take_bytes(size)


def test_after_the_time_everything_ends_and_that_is_told_once():
    budget = Budget(Limits(seconds=-1))
    for use in (budget.check_time, lambda: budget.take_bytes(1), lambda: list(budget.few("a"))):
        with pytest.raises(OutOfTimeError, match="stopped after -1 s"):
            use()
    assert budget.is_over() and budget.is_over()
    assert list(budget.cut) == ["stopped after -1 s"]
    assert not Budget(Limits()).is_over()


def test_temporary_files_are_closed_with_the_innermost_block():
    budget = Budget(Limits())
    outer, inner = io.BytesIO(), io.BytesIO()
    with budget.temporary():
        budget.hold(outer)
        with pytest.raises(KeyError), budget.temporary():
            budget.hold(inner)
            raise KeyError
        assert (outer.closed, inner.closed) == (False, True)
    assert outer.closed
