"""Failures of plugins."""

from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.support.problems import Problems


class Theirs: ...


def test_a_failure_is_noted_once_with_who_and_why():
    problems = Problems()
    for _ in range(2):
        problems.add_failure("comparator", Theirs(), OSError("cannot compare"))
    problems.add_failure("diagnoser", Theirs(), ValueError("no\x1b[31m"))
    assert problems.list() == (
        "the comparator Theirs failed: OSError: cannot compare",
        r"the diagnoser Theirs failed: ValueError: no\x1b[31m",
    )


@given(st.lists(st.text(st.characters(categories=["L"], max_codepoint=0x24F), max_size=5), max_size=20))
def test_each_is_listed_in_the_order_of_its_first_failure(texts):
    problems = Problems()
    for text in texts:
        problems.add_failure("x", Theirs(), OSError(text))
    assert problems.list() == tuple(dict.fromkeys(f"the x Theirs failed: OSError: {text}" for text in texts))


def test_threads_lose_none():
    problems = Problems()
    threads = [
        Thread(
            target=lambda first=first: [
                problems.add_failure("x", Theirs(), OSError(f"{first} {n}")) for n in range(200)
            ]
        )
        for first in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(problems.list()) == 800
