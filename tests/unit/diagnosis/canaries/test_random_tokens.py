"""What looks random."""

import uuid

import pytest

from pytest_ftc.diagnosis.canaries.alignment import whole
from pytest_ftc.diagnosis.canaries.random_tokens import find_tokens
from pytest_ftc.model import Strength


@pytest.mark.parametrize(
    ("one", "other", "strength"),
    [
        (
            str(uuid.UUID(int=7 << 64 | 4 << 76 | 1 << 63)).encode(),
            str(uuid.UUID(int=9 << 100 | 4 << 76 | 1 << 63)).encode(),
            Strength.STRONG,
        ),
        (b"tmp.aB3dE6", b"tmp.Zy9xW8", Strength.WEAK),
        (b"0" * 31 + b"1", b"f" * 32, Strength.GUESS),
    ],
)
def test_each_kind_is_as_strong_as_its_shape_is_rare(one, other, strength):
    assert max(found.suspicion.strength for found in find_tokens(whole(one, other))) is strength


def test_plain_words_and_equal_ones_are_not_random():
    assert not list(find_tokens(whole(b"abcdefgh", b"stuvwxyz")))
    assert not list(find_tokens(whole(b"aB3dE6gH", b"aB3dE6gH")))
