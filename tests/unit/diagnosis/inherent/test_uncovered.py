"""What remedies of random orders uncover."""

from dataclasses import dataclass, field, replace

import pytest

from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.inherent.uncovered import add_uncovered
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.try_remedies import RemedyTarget, RemedyTrials
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Evidence, Field, Finding, Place, Role, Strength, Suspicion

ORDER, LEFT = Key("rc.py", "", "line order", Field.ORDER), Key("rc.py", "", "line 9", Field.CONTENT)
TIME = LEFT._replace(location="line 4")
SEED, TOUCH = "QT_HASH_SEED", "touch"


@dataclass
class Builder:
    """Stands for builds of a file in an order by a random seed, with the time of a source in it."""

    left: int = 40
    is_late: bool = False
    told: bool = True
    made: list = field(default_factory=list)

    def with_changes(self, changes, only=None):
        self.left -= 2
        self.made.append((changes, only))
        return [
            BuildResult(id=f"{n} {sorted(changes.settings)}", role=Role.REMEDY, environment={}, status=BuildStatus.OK)
            for n in range(2)
        ]

    def look(self, one, other):
        changes, only = self.made[-1]
        keys = [] if changes.settings.get(SEED) == "0" else [ORDER, LEFT]
        if not any(TOUCH in command for command in changes.before) and (only is None or Cause.SOURCE_MTIME in only):
            keys.append(TIME)
        return {key: place_of(key) for key in keys}

    def suspect(self, place, one, other):
        told = [Suspicion(Cause.SOURCE_MTIME, Strength.STRONG, "2002", "2000", "the times differ")] if self.told else []
        return told if place.location == TIME.location else []


def place_of(key):
    return Place(field=key.field, location=key.location, control=b"2002", experiment=b"2000", format="text")


def target_of(key, **more):
    luck = ((1.0, 1e-4),)
    target = RemedyTarget(key=key, place=place_of(key), cause=Cause.RANDOM, known=True, tools=("rcc",), luck=luck)
    return replace(target, **more)


def finding_of(key, remedy, **more):
    values = Evidence(control="a", experiment="b")
    place = {"output": key.output, "member": key.member, "location": key.location}
    return replace(Finding(**place, cause=Cause.RANDOM, confirmed=True, evidence=values, remedy=remedy), **more)


def diagnose(builder):
    trials = RemedyTrials(builder.look, builder, 0, suspect=builder.suspect)
    cases = {key: Case(place_of(key), []) for key in (ORDER, LEFT)}
    cases[LEFT].sources = [ORDER]
    targets = [target_of(ORDER), target_of(LEFT, known=False, follows=True)]
    remedies = trials.run(targets)
    findings = [
        finding_of(one.key, remedies.get(targets[0]), confirmed=not one.follows, command=("rcc",)) for one in targets
    ]
    return add_uncovered(list(zip(findings, targets, strict=True)), cases, trials)


def test_a_cause_that_still_differs_once_the_order_is_fixed_is_named_and_healed():
    builder = Builder()
    order, left, time = diagnose(builder)
    assert (order.remedy.proved, order.remedy.settings) == (True, {SEED: "0"})
    assert (time.location, time.cause, time.confirmed, time.command) == ("line 4", "source_mtime", True, ("rcc",))
    assert time.why == "the times differ, once what is random in the same file is fixed"
    assert time.remedy.proved
    assert TOUCH in time.remedy.before
    assert {Cause.SOURCE_MTIME} in [only for _, only in builder.made]
    # Nothing else is left of the order.
    assert left.confirmed


def test_without_builds_it_is_suspected():
    builder = Builder(left=10)
    *_, time = diagnose(builder)
    assert (time.cause, time.confirmed, time.remedy.proved) == ("source_mtime", False, False)


def test_what_tells_no_cause_leaves_what_the_order_left_suspected():
    order, left = diagnose(Builder(told=False))
    assert order.remedy.proved
    assert not left.confirmed


@pytest.mark.parametrize("known", [True, False])
def test_a_cause_that_has_a_finding_in_the_file_is_not_told_again(known):
    builder = Builder()
    trials = RemedyTrials(builder.look, builder, 0, suspect=builder.suspect)
    target = target_of(ORDER)
    remedy = trials.run([target])[target]
    own = finding_of(ORDER, remedy)
    other = replace(own, location="line 2", cause=Cause.SOURCE_MTIME if known else Cause.TIME, remedy=None)
    found = [(own, target), (other, replace(target, key=TIME, cause=other.cause))]
    cases = {key: Case(place_of(key), []) for key in (ORDER, TIME)}
    assert len(add_uncovered(found, cases, trials)) == (2 if known else 3)


class OneLine(Builder):
    """Both are in one line: it is equal only where both are fixed, and tells the time only where the seed is."""

    def look(self, one, other):
        changes, _ = self.made[-1]
        left = super().look(one, other)
        return {LEFT: place_of(LEFT)} if left or changes.settings.get(SEED) != "0" else {}

    def suspect(self, place, one, other):
        return super().suspect(place_of(TIME), one, other) if SEED in one.id else []


@pytest.mark.parametrize("told", [True, False])
def test_a_remedy_that_leaves_another_cause_in_its_own_place_is_not_in_vain(told):
    builder = OneLine(told=told)
    trials = RemedyTrials(builder.look, builder, 0, suspect=builder.suspect)
    target = target_of(LEFT)
    remedy = trials.run([target])[target]
    assert not remedy.proved
    own = finding_of(LEFT, remedy)
    seed, *times = add_uncovered([(own, target)], {LEFT: Case(place_of(LEFT), [])}, trials)
    assert (seed.remedy.proved, seed.remedy.settings.get(SEED)) == (told, "0" if told else None)
    assert [(one.location, one.cause, one.confirmed) for one in times] == [("line 9", "source_mtime", True)] * told
    assert all(TOUCH in one.remedy.before and one.remedy.proved for one in times)
