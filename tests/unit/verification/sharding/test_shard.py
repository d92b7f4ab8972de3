"""What names a shard, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.sharding.shard import Shard, read_shard


@given(st.integers(1, 10_000), st.data())
def test_every_shard_is_read_as_it_is_written(count, data):
    shard = Shard(data.draw(st.integers(1, count)), count)
    assert read_shard(str(shard), "--shard") == shard


@pytest.mark.parametrize("text", ["0/8", "9/8", "x", "", "3", "3/", "/8", "3/8/1", "-1/8", "3 / 8", "\uff13/8", "1/0", "1/99999999999999", "1/10001", "3/8\n"])  # fmt: skip
def test_anything_else_is_one_clear_error(text):
    with pytest.raises(ConfigurationError, match=r"^--shard: expected K/N, such as 3/8, with K from 1 to N, found ") as caught:  # fmt: skip
        read_shard(text, "--shard")
    assert "\n" not in str(caught.value)
