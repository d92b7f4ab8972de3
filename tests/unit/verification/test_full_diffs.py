"""A difference for each place, and the full diff of its output."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.model import Difference, DifferenceKind, Field, Place
from pytest_ftc.verification.full_diffs import FullDiffs, place

ASKED = Difference(output="out", kind=DifferenceKind.CONTENT, control=None, experiment=None)
FILES = Path("one"), Path("other")


class Writer:
    def write(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        return replace(difference, diff=f"{control}-{experiment}.txt")


def leaf(location: str, note: str = "") -> Place:
    return Place(field=Field.CONTENT, location=location, control=b"1", experiment=b"2", member="m", note=note)


def test_diffs_are_written_until_the_time_is_over():
    assert FullDiffs(ComparatorChain(Writer()), 60).add(ASKED, *FILES).diff == "one-other.txt"
    late = FullDiffs(ComparatorChain(Writer()), -1).add(ASKED, *FILES)
    assert (late.diff, late.note) == ("", "no full diff: those of other outputs took -1 s")


def test_diffs_are_written_while_other_work_goes_on():
    begun, done = threading.Event(), threading.Event()

    class Slow(Writer):
        def write(self, difference, control, experiment):
            begun.set()
            assert done.wait(20)
            return super().write(difference, control, experiment)

    other = replace(ASKED, output="other")
    with FullDiffs(ComparatorChain(Slow()), 60).in_background([(ASKED, FILES)]) as written:
        assert begun.wait(20)
        done.set()
        assert written(ASKED).diff == "one-other.txt"
        assert written(other) == other


def test_work_that_fails_waits_for_no_diffs_that_are_not_begun():
    asked = [(replace(ASKED, output=str(number)), FILES) for number in range(100)]
    begun = []

    class Counts(Writer):
        def write(self, difference, control, experiment):
            begun.append(difference)
            time.sleep(0.05)
            return super().write(difference, control, experiment)

    with pytest.raises(ZeroDivisionError), FullDiffs(ComparatorChain(Counts()), 60).in_background(asked):
        raise ZeroDivisionError
    assert len(begun) < 50


def test_each_place_has_the_diff_and_the_first_the_note_on_it():
    given = replace(ASKED, diff="d.txt", note="no tool")
    found = place(given, [leaf("line 1", "cut"), leaf("line 2", "cut"), leaf("line 3")])
    assert [one.location for one in found] == ["line 1", "line 2", "line 3"]
    assert [one.note for one in found] == ["cut; no tool", "cut", ""]
    assert {(one.diff, one.member, one.evidence.control) for one in found if one.evidence} == {("d.txt", "m", "1")}


def test_without_a_place_there_is_no_difference_to_show():
    assert place(ASKED, []) == []
