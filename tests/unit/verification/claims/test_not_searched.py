"""Notes on what was not searched."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.verification.claims.not_searched import summarize


@given(st.lists(st.text(min_size=1), max_size=12))
def test_the_first_five_are_named_and_the_rest_counted(sentences):
    notes = summarize("not searched", sentences)
    assert notes[:5] == tuple(f"not searched: {sentence}" for sentence in sentences[:5])
    assert notes[5:] == ((f"not searched: {len(sentences) - 5} more",) if len(sentences) > 5 else ())
