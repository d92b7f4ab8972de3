"""What every format is normalized by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.rules import LATEST_EPOCH, MOST_MEMBERS, Budget, Rules, check_count


@given(st.integers(-(1 << 40), 1 << 40))
def test_only_a_time_that_every_format_can_store_is_accepted(epoch):
    if 0 <= epoch <= LATEST_EPOCH:
        assert Rules(epoch=epoch).epoch == epoch
        return
    with pytest.raises(NormalizationError, match=f"the epoch {epoch} is not between"):
        Rules(epoch=epoch)


@given(st.lists(st.integers(0, 60), max_size=8))
def test_decompressed_bytes_are_counted_over_the_whole_file(sizes):
    budget = Budget(Rules(epoch=0, max_size=100))
    if sum(sizes) <= 100:
        for size in sizes:
            budget.spend(size)
        return
    with pytest.raises(NormalizationError, match="more than 100 bytes when decompressed; raise --max-size"):
        for size in sizes:
            budget.spend(size)


def test_members_are_counted():
    check_count(MOST_MEMBERS)
    with pytest.raises(NormalizationError, match=f"more than {MOST_MEMBERS} members"):
        check_count(MOST_MEMBERS + 1)
