"""Hostile text on its way to a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.support.printable import printable, shorten

ANY = st.text(st.characters(codec=None))


@given(ANY)
def test_nothing_but_what_is_kept_is_left_unprintable(text):
    assert printable(text, keep="").isprintable()
    assert all(character.isprintable() or character == "\n" for character in printable(text))


@given(st.text(st.characters(categories=["L", "N", "P"])))
def test_what_is_printable_already_stays(text):
    assert printable(printable(text)) == printable(text)


@given(ANY, st.integers(10, 60))
def test_a_short_text_is_one_line_and_no_longer_than_asked(text, longest):
    short = shorten(text, longest)
    assert len(short) <= longest
    assert short.isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\t", "a\nb" + r"\t"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        (b"\xff".decode(errors="surrogateescape"), r"\xff"),
        ("🇩🇪", r"\U0001f1e9\U0001f1ea"),
        ("é", "é"),
        ("\uac00\u1160\u3164", "\uac00" + r"\u1160\u3164"),
    ],
)
def test_what_moves_the_cursor_or_reorders_a_line_is_escaped(text, shown):
    assert printable(text) == shown


def test_both_ends_of_a_long_text_are_kept():
    assert shorten("begin" + "x" * 10_000 + "end!!", 13) == "beginx…xend!!"
