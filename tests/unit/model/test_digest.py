"""Content digests."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.digest import Digest


@given(st.binary(max_size=100))
def test_a_digest_is_hash_and_size_and_is_read_back(data):
    digest = Digest.of(data)
    assert digest == (hashlib.sha256(data).hexdigest(), len(data))
    assert Digest.parse(str(digest)) == digest


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_two_contents_have_one_digest_only_if_they_are_equal(one, other):
    assert (Digest.of(one) == Digest.of(other)) == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 64,
        "0" * 64 + "/",
        "0" * 63 + "/1",
        "0" * 65 + "/1",
        "0" * 64 + "/01",
        "0" * 64 + "/-1",
        "0" * 64 + "/1\n",
        "A" * 64 + "/1",
        "0" * 64 + "/" + "9" * 20,
        "0" * 64 + "/\u0661",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="expected a digest"):
        Digest.parse(text)


def test_a_long_text_is_cut_in_the_message():
    with pytest.raises(ValueError, match="expected") as raised:
        Digest.parse("x" * 10_000)
    assert len(str(raised.value)) < 250
