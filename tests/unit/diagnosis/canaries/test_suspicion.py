"""How values are shown."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.diagnosis.canaries.suspicion import shown


@given(st.binary(max_size=400))
def test_what_is_shown_is_short_and_can_be_printed_as_utf8(data):
    text = shown(data)
    text.encode()
    assert len(text) <= 4 * 163


def test_bytes_that_are_no_text_are_escaped():
    assert shown(b"a\xff") == "a\\xff"
    assert shown(b"a" * 200).endswith("a...")
