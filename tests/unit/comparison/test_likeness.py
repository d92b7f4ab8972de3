"""What two builds name by a digest or a random word is paired."""

import gzip
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.likeness import Named, changed_words, draw, mask, pair_alike


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        (f"image/blobs/{'0f' * 32}", "image/blobs/*"),
        ("static/app.3f2a9c.js", "static/app.*.js"),
        ("static/index-BxK3f9aZ.js", "static/index-*.js"),
        ("objects/3f/2a9c0b11d2e4f5a6b7c8", "objects/*/*"),
        (".gnu.lto_.inline.634410ffa8376a2d", ".gnu.lto_.inline.*"),
        ("build-1795887207.log", "build-*.log"),
        ("_ZN4core3fmt17h0123456789abcdefE", "_ZN4core3fmt17h*E"),
        ("README.md", "README.md"),
        ("src/naming/facade.py", "src/naming/facade.py"),
        ("lib/readelf", "lib/readelf"),
    ],
)
def test_the_mask_leaves_what_is_the_same_in_every_build(name, masked):
    assert mask(name) == masked


@given(st.binary(), st.binary())
def test_any_two_digests_have_the_same_mask(one, other):
    assert mask(f"store/{digest(one)}-name") == mask(f"store/{digest(other)}-name")


def pairs(control: dict[str, bytes], experiment: dict[str, bytes]) -> dict[str, str]:
    ours, theirs = ([Named(name, data) for name, data in side.items()] for side in (control, experiment))
    found = pair_alike(ours, theirs, lambda data: draw(len(data), data))
    return {one.name: other.name for one, other in found}


def named(*contents: bytes) -> dict[str, bytes]:
    return {f"blobs/{digest(content)}": content for content in contents}


@given(st.permutations(range(4)), st.integers(0, 1 << 40))
def test_blobs_are_paired_by_likeness_whatever_their_digests_sort_like(order, salt):
    def contents(side):
        number = random.Random(f"{salt} {side}").getrandbits(60)
        return [
            f'{{"created": "{number}", "architecture": "amd64"}}'.encode(),
            f'{{"created": "{number}", "architecture": "arm64"}}'.encode(),
            b"\x7fELF\2\1\1\0" + number.to_bytes(8, "big") + b"main printf exit",
            f"#!/bin/sh\n# {number}\nexec program\n".encode(),
        ]

    one, other = contents("control"), contents("experiment")
    found = pairs(named(*one), named(*(other[number] for number in order)))
    assert found == dict(zip(named(*one), named(*other), strict=True))


def test_text_is_never_paired_with_bytes_and_nothing_with_another_kind_of_name():
    assert pairs({"a/12345678": b"text"}, {"a/87654321": b"\0\1"}) == {}
    assert pairs({"a/12345678.js": b"text"}, {"a/87654321.css": b"text"}) == {}
    assert pairs({"old": b"text"}, {"new": b"text"}) == {}


def test_more_blobs_than_the_other_build_has_stay_alone():
    found = pairs(named(b"one word", b"two lines"), named(b"one  word"))
    assert found == dict(zip(named(b"one word"), named(b"one  word"), strict=True))


def test_the_words_in_which_two_names_differ_are_told():
    assert changed_words("app.3f2a9c.js", "app.9c2a3f.js") == (("3f2a9c", "9c2a3f"),)
    assert changed_words("same", "same") == ()
    assert changed_words("a/b", "a.b.c") == (("a/b", "a.b.c"),)


def test_compressed_contents_are_told_apart_by_what_is_compressed(tmp_path):
    from pytest_ftc.comparison.members.sketches import sketch
    from pytest_ftc.comparison.members.span import span_of

    packed = [gzip.compress(text, mtime=0) for text in (b"the first layer", b"the second one")]
    first, second = (sketch(span_of(data)) for data in packed)
    assert (b"layer" in first.words, b"second" in second.words, first.size) == (True, True, len(packed[0]))
    assert sketch(span_of(packed[0][:3] + b"broken")).size == 9
