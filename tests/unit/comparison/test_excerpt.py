"""Two values as a person sees them."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.excerpt import contrast


@given(st.text(), st.text(), st.text(), st.integers(0, 400))
def test_evidence_is_short_printable_and_shows_the_difference(one, other, shared, times):
    evidence = contrast(shared * times + one, shared * times + other)
    for text in (evidence.control, evidence.experiment):
        assert len(text) <= 300
        assert text.isprintable()
    assert one == other or evidence.control != evidence.experiment or "\\" in evidence.control


def test_short_values_are_shown_whole_and_escaped():
    evidence = contrast("a\x0b\u2028b\n", "\x1b[31mred")
    assert (evidence.control, evidence.experiment) == (r"a\x0b\u2028b\n", r"\x1b[31mred")


def test_long_lines_are_cut_to_where_they_differ():
    evidence = contrast("x" * 2000 + "one" + "y" * 2000, "x" * 2000 + "two" + "y" * 2000)
    assert evidence.control.startswith("…x") and evidence.control.endswith("y…")
    assert "xone" in evidence.control
    assert "xtwo" in evidence.experiment
