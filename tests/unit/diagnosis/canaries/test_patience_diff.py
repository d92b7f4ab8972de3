"""The runs of items that differ."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.diagnosis.canaries.patience_diff import differing_runs

ITEMS = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=12)


@given(ITEMS, ITEMS)
def test_what_lies_between_the_runs_is_equal(one, other):
    left, right = 0, 0
    for start, end, theirs, their_end in [*differing_runs(one, other), (len(one), len(one), len(other), len(other))]:
        assert one[left:start] == other[right:theirs]
        left, right = end, their_end


@given(ITEMS)
def test_equal_items_have_no_runs(items):
    assert not list(differing_runs(items, items))


def test_an_insertion_is_one_run():
    assert list(differing_runs([b"a", b"c"], [b"a", b"b", b"c"])) == [(1, 1, 1, 2)]
