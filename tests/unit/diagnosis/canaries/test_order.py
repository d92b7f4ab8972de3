"""The same items in a different order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from planted import CONTROL, EXPERIMENT

from pytest_ftc.diagnosis.canaries.order import find_order
from pytest_ftc.model import Cause, Strength


def causes(one, other, control=CONTROL, experiment=EXPERIMENT):
    strengths = {}
    for found in find_order(one, other, control, experiment):
        strengths[found.cause] = max(found.strength, strengths.get(found.cause, found.strength))
    return strengths


def test_reversed_lines_point_to_the_order_of_files():
    assert causes(b"a\nb\nc\n", b"c\nb\na\n")[Cause.FILEORDERING] is Strength.STRONG
    assert causes(b"a\nb\nc\n", b"c\nb\na\n", experiment=CONTROL)[Cause.FILEORDERING] < Strength.STRONG


def test_lines_reversed_in_each_folder_point_to_the_order_of_files():
    assert causes(b"a/x\na/y\nb/x\nb/y\n", b"a/y\na/x\nb/y\nb/x\n")[Cause.FILEORDERING] is Strength.STRONG


def test_lines_that_seem_to_be_alone_in_folders_of_their_own_are_not_reversed():
    items = [b"<li>%d</li>" % number for number in (4, 1, 3, 2)]
    assert causes(b"\n".join(items), b"\n".join(sorted(items)))[Cause.FILEORDERING] < Strength.STRONG


def test_lines_sorted_by_a_locale_point_to_it():
    german = replace(EXPERIMENT, variables={"LC_ALL": "de_DE.UTF-8"})
    assert causes(b"B\na\nc\n", b"a\nB\nc\n", experiment=german)[Cause.LOCALES] is Strength.STRONG


def test_other_items_are_no_other_order():
    assert causes(b"a\nb\nc\n", b"a\nb\nd\n") == {}


@given(st.lists(st.sampled_from([b"x.c", b"y.c", b"z.c"]), max_size=6))
def test_equal_contents_are_in_the_same_order(items):
    text = b"\n".join(items)
    assert causes(text, text) == {}
