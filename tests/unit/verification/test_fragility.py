from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.verification.fragility import Group, find_breaking

NAMES = tuple("abcdefghijklmnopqrstu")


def search(culprits: set[str], names: Sequence[str] = NAMES, budget: int = 100) -> tuple[Group | None, int]:
    asked: list[Group] = []

    def break_build(groups: Sequence[Group]) -> list[bool]:
        asked.extend(groups)
        return [culprits <= set(group) for group in groups]

    return find_breaking(names, break_build, budget), len(asked)


@given(st.sampled_from(NAMES))
def test_one_culprit_is_found_in_as_many_steps_as_halving_takes(culprit):
    assert search({culprit})[0] == (culprit,)
    assert search({culprit})[1] <= 10


@given(st.sets(st.sampled_from(NAMES), min_size=2, max_size=4))
def test_culprits_that_break_only_together_stay_together(culprits):
    found, _ = search(culprits)
    assert culprits <= set(found)


@given(st.sampled_from(NAMES), st.integers(0, 9))
def test_a_budget_is_kept(culprit, budget):
    found, asked = search({culprit}, budget=budget)
    assert asked <= budget
    assert found in (None, (culprit,))
