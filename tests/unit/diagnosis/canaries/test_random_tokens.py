"""What looks random."""

import uuid

import pytest

from pytest_ftc.diagnosis.canaries.alignment import whole
from pytest_ftc.diagnosis.canaries.random_tokens import find_tokens, is_name_in_path
from pytest_ftc.model import Cause, Field, Place, Strength, Suspicion


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


@pytest.mark.parametrize(
    ("one", "other", "value", "is_name"),
    [
        (b"/tmp/.tmp-pep517-h02zj_45/src/a.c", b"/ftc-tmp/.tmp-pep517-9m04gixr/src/a.c", "tmp-pep517-", True),
        (b'dir = "/b/.build-h02zj_45"\n', b'dir = "/b/.build-9m04gixr"\n', "", True),
        (b"/build/x/.build-h02zj_45", b"/build/x/.build-9m04gixr", "/build/x/.build-", True),
        (b"/cache/0123456789abcdef0123456789abcdef/a", b"/cache/ffff456789abcdef0123456789abcdef/a", "", False),
        (b'dir = "/.build-h02zj_45"', b'dir = "/.build-9m04gixr"', "", True),
        (b".build-h02zj_45/tool.c", b".build-9m04gixr/tool.c", "", True),
        (b"./tmp_h02zj_45", b"./tmp_9m04gixr", "", True),
        (b"tmph02zj_45/tool.c", b"tmp9m04gixr/tool.c", "", True),
        (b"tmph02zj_45", b"tmp9m04gixr", "", False),
        (b"version 1.h02zj_45", b"version 1.9m04gixr", "", False),
        (b"id h02zj_45 in /b/out", b"id 9m04gixr in /b/out", "", False),
        (b"https://example.org/id/h02zj_45", b"https://example.org/id/9m04gixr", "", False),
        (b"q+/h02zj45", b"q+/9m04gixr", "", False),
        (b"", b"/b/x", "", False),
    ],
)
def test_a_random_name_in_a_path_is_told_from_other_random_words(one, other, value, is_name):
    place = Place(field=Field.CONTENT, location="line 1", control=one, experiment=other)
    values = (f"{value}h02zj_45", f"{value}9m04gixr") if value else ("", "")
    assert is_name_in_path(place, Suspicion(Cause.RANDOM, Strength.WEAK, *values, "") if value else None) == is_name
