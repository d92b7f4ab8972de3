"""Comparators of plugins come first, and one that fails or strays is passed over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.model import Difference, DifferenceKind, Evidence

ASKED = Difference(output="out", kind=DifferenceKind.CONTENT, control=None, experiment=None)
FILES = Path("one"), Path("other")


@dataclass
class Says:
    answer: object

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


def place(location: str, **changes: object) -> Difference:
    return replace(ASKED, location=location, **changes)  # type: ignore[arg-type]


class Writer:
    def write(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        return replace(difference, diff="ours.txt")


def test_the_first_that_knows_decides():
    chain = ComparatorChain(Writer(), [Says([]), Says(None), Says([place("theirs")]), Says([place("late")])])
    assert chain.ask(ASKED, *FILES) == [place("theirs")]
    assert chain.problems == ()


def test_what_nobody_knows_is_left_to_us():
    chain = ComparatorChain(Writer(), [Says([])])
    assert chain.ask(ASKED, *FILES) == ()
    assert chain.write_diff(ASKED, *FILES).diff == "ours.txt"
    assert ComparatorChain().write_diff(ASKED, *FILES) == ASKED


def test_of_what_a_plugin_knows_its_own_diff_counts():
    places = [place("first"), place("second", diff="theirs.txt")]
    assert ComparatorChain(Writer(), [Says(places)]).write_diff(ASKED, *FILES) == replace(ASKED, diff="theirs.txt")
    assert ComparatorChain(Writer(), [Says(places[:1])]).write_diff(ASKED, *FILES).diff == ""


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (OSError("no"), "OSError: no"),
        (3, "TypeError: expected a sequence of Difference, found 3"),
        (["x"], "TypeError: expected a sequence of Difference, found 'x' in it"),
        ([place("x", output="another")], "ValueError: expected places in out, found one in another"),
    ],
)
def test_a_bad_answer_is_passed_over_and_noted(answer, told):
    chain = ComparatorChain(Writer(), [Says(answer)])
    assert chain.ask(ASKED, *FILES) == ()
    assert chain.write_diff(ASKED, *FILES).diff == "ours.txt"
    assert chain.problems == (f"the comparator Says failed: {told}",)


def test_what_it_says_is_made_fit_to_be_shown():
    said = place("line \x1b[31m1", member="a\nb", evidence=Evidence(control="\x07", experiment="x" * 1000))
    (shown,) = ComparatorChain(comparators=[Says([said])]).ask(ASKED, *FILES)
    assert (shown.location, shown.member) == ("line \\x1b[31m1", "a\\nb")
    assert shown.evidence and shown.evidence.control == "\\x07"
    assert len(shown.evidence.experiment) <= 300
