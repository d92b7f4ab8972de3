"""Diagnosers of plugins are heard beside our own search, and no further than they are right."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.model import Conditions, Environment, Field, Place, Strength, Suspicion

LEAF = Place(field=Field.CONTENT, location="line 1", control=b"1", experiment=b"2")
WHERE = Conditions(environment=Environment(build_path="/b", home="/h", temp_dir="/t"), started=1.0, ended=2.0)


def suspicion(cause: str, strength: Strength, why: str = "") -> Suspicion:
    return Suspicion(cause, strength, "1", "2", why)


@dataclass
class Says:
    answer: object

    def suspect(self, leaf: Place, control: Conditions, experiment: Conditions) -> Iterable[Suspicion] | None:
        assert (leaf, control, experiment) == (LEAF, WHERE, WHERE)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


OURS = (suspicion("time", Strength.WEAK, "ours"), suspicion("home", Strength.STRONG, "ours"))


def test_the_strongest_for_each_cause_counts():
    panel = Panel([Says(None), Says([suspicion("time", Strength.STRONG, "theirs")])], ["time", "home"])
    heard = panel.suspect(LEAF, WHERE, WHERE, OURS)
    assert [(one.cause, one.why) for one in heard] == [("time", "theirs"), ("home", "ours")]


def test_nobody_else_can_be_certain():
    panel = Panel([Says([suspicion("umask", Strength.CERTAIN)])], ["umask"])
    assert [one.strength for one in panel.suspect(LEAF, WHERE, WHERE, ())] == [Strength.STRONG]


def test_without_their_word_ours_stays_as_it_is():
    assert Panel([Says([])], ["time"]).suspect(LEAF, WHERE, WHERE, OURS) == OURS


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (OSError("no"), "OSError: no"),
        ([3], "TypeError: expected suspicions, found 3"),
        ([suspicion("tme", Strength.WEAK)], "ValueError: unknown cause 'tme'; causes: time, random, race"),
    ],
)
def test_a_bad_answer_is_passed_over_and_noted(answer, told):
    panel = Panel([Says(answer)], ["time"])
    assert panel.suspect(LEAF, WHERE, WHERE, OURS) == OURS
    assert panel.problems == (f"the diagnoser Says failed: {told}",)
