"""A store that fails costs builds, and no verdict."""

import pytest

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.store import StoreWrites
from pytest_ftc.verification.cache.store_guard import StoreGuard


class Store:
    def __init__(self) -> None:
        self.asked = 0
        self.problem = ""

    def ask(self) -> str:
        self.asked += 1
        if self.problem:
            raise StoreUnavailableError(self.problem)
        return "answer"


def test_what_the_store_answers_is_passed_on():
    guard = StoreGuard()
    assert guard.attempt(Store().ask, "none") == "answer"
    assert guard.problems == ()


def test_a_failure_is_noted_once_and_something_else_stands_in():
    guard, store = StoreGuard(), Store()
    store.problem = "no space left"
    assert [guard.attempt(store.ask, "none") for _ in range(2)] == ["none"] * 2
    assert guard.problems == ("the verification cache is incomplete: no space left",)
    store.problem = ""
    assert guard.attempt(store.ask, "none") == "answer"


def test_after_three_failures_in_a_row_it_is_left_alone():
    guard, store = StoreGuard(), Store()
    store.problem = "broken"
    for _ in range(10):
        assert guard.attempt(store.ask, "none") == "none"
    assert store.asked == 3


def test_a_fault_of_our_own_is_not_hidden():
    def fails() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        StoreGuard().attempt(fails, None)


def test_writes_are_counted_with_those_that_fail_or_are_not_tried():
    guard, store = StoreGuard(), Store()
    guard.attempt(store.ask, "none")
    assert guard.writes == StoreWrites()
    assert guard.write(store.ask) == "answer"
    assert guard.write(lambda: None) is None
    assert guard.writes == StoreWrites(attempted=2, failed=0)
    store.problem = "broken"
    assert [guard.write(store.ask) for _ in range(5)] == [None] * 5
    assert store.asked == 5
    assert guard.writes == StoreWrites(attempted=7, failed=5)
