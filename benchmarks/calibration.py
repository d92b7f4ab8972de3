"""Whether what the diagnosis says is as likely as it says, on simulated cases and without a build.

``calibration.py N --seed S`` simulates N cases (10,000 by default) with the diagnosis' own model, and has it try
remedies that do nothing.  Half of the cases are random at a rate from 0.02 to 0.98, with two to many values, and half
have one cause, which the values point to in some.  It prints how often what was said with which probability is true,
how many builds it took, and the same for the rules used before: a cause was sure when the values spoke for it, or after
three builds each way, and a remedy was proved by one equal pair.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from pytest_ftc.diagnosis.group_testing import HIDDEN, Group, Observation, comes_by_itself, suspects_left, with_entailed
from pytest_ftc.diagnosis.hypotheses import Kind
from pytest_ftc.diagnosis.next_builds import groups_beside_none, next_groups
from pytest_ftc.diagnosis.places import Key, Places
from pytest_ftc.diagnosis.posterior import SURE, Belief, Question, believe
from pytest_ftc.diagnosis.try_remedies import RemedyTarget, RemedyTrials
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, RemedyTemplate, Role
from pytest_ftc.model.protocols import Rebuilder
from pytest_ftc.model.remedy import Changes
from pytest_ftc.variations import CATALOGUE

EVERYTHING: Group = frozenset(variation.name for variation in CATALOGUE)
_NAMES = sorted(EVERYTHING - {"filesystem", "fileordering"})
_GOAL = 0.005
_MOST = 24
_MOST_CHEAP, _MOST_EXTRA, _MOST_REMEDIES = 48, 5, 4
"""Builds of one artifact, experiments beside the first, and remedies tried for one difference."""
_OF_FEW_VALUES = frozenset({"hash_seed", "locales", "umask", "timezone"})
_STRENGTHS: Mapping[float, float] = {1e6: 0.3, 2e3: 0.35, 6.0: 0.15, 1.0: 0.2}
"""How strongly the values point to the cause, and how often."""
_VALUES = (1, 1, 2, 3, 9, 10**6)
"""Numbers of values beside the control's of what differs by chance."""
_BINS = (0.0, 0.5, 0.9, 0.99, SURE, 1.01)
_OLD_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One difference: its cause, empty for one by chance, and what its values point to."""

    cause: str
    rate: float
    values: int
    evidence: tuple[tuple[str, float], ...]
    beside: str = ""
    """A variation that shows beside what differs by chance."""

    @property
    def causes(self) -> tuple[str, ...]:
        """All that is right to say."""
        return (self.cause, self.beside) if self.beside else (self.cause,)

    @property
    def evident(self) -> list[str]:
        """The causes whose own values stand on both sides."""
        return [name for name, strength in self.evidence if strength >= 2e3]


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a case: by the model, and by the old rules from the same builds."""

    case: Case
    name: str
    chance: float
    builds: int
    remedy_builds: int
    old: str
    """The cause that the old rules were sure of; empty for none."""
    proved: bool
    old_proved: bool
    """Whether a remedy that does nothing was called proved."""
    wrong: tuple[str, ...] = ()
    """The variations that the model was sure of, and that are no cause."""


def draw_case(chance: random.Random) -> Case:
    """Return a case: by chance, with one cause, or with both."""
    kind = chance.choices(("chance", "cause", "both"), (0.4, 0.4, 0.2))[0]
    if kind == "chance":
        # By luck the values point to something, as often as strong evidence is wrong by its own measure.
        lucky = [(strength, 1 / strength) for strength in _STRENGTHS if strength > 1]
        evidence = tuple((chance.choice(_NAMES), strength) for strength, odds in lucky if chance.random() < odds)[:1]
        return Case("", chance.uniform(0.02, 0.98), chance.choice(_VALUES), evidence)
    cause = chance.choices(_NAMES, [HIDDEN.get(name, 1) for name in _NAMES])[0]
    strength = chance.choices(list(_STRENGTHS), list(_STRENGTHS.values()))[0]
    evidence = ((cause, strength),) if strength > 1 else ()
    if kind == "both":
        return Case("", chance.uniform(0.02, 0.98), chance.choice(_VALUES), evidence, beside=cause)
    return Case(cause, 1.0, 1, evidence)


def build(case: Case, varied: Group, chance: random.Random) -> int:
    """Return the value of a build: 0 is that of the control, and 1 that of the cause, if there is one."""
    if case.cause:
        return int(case.cause in varied)
    drawn = 1 + chance.randrange(case.values) if chance.random() < case.rate else 0
    return drawn + (case.values + 1) * (case.beside in varied)


def experiment(case: Case, chance: random.Random) -> list[Observation]:
    """Return what the experiments show, that which is explained first: one, or up to six if builds are quick.

    One that shows a difference ends them.  In half of all cases none has been before it, as where builds are slow; so
    all rates occur equally often, and most of those that are low are harder than they are in earnest.
    """
    earlier: list[Observation] = []
    if chance.random() < 0.5:
        while not _shows(case, chance):
            # None of six showed it: nothing is diagnosed.
            earlier = [*earlier, Observation(EVERYTHING, False, fresh=True)] if len(earlier) < _MOST_EXTRA else []
    return [Observation(EVERYTHING, True), *earlier]


def _shows(case: Case, chance: random.Random) -> bool:
    """Return whether an experiment differs from the control; of some causes, half of all values change nothing."""
    if not _OF_FEW_VALUES.isdisjoint(case.causes) and chance.random() < 0.5:
        return bool(build(case, EVERYTHING - set(case.causes), chance))
    return bool(build(case, EVERYTHING, chance))


def simulate(name: str) -> Told:
    """Diagnose one case, and try remedies that do nothing."""
    chance = random.Random(name)
    case = draw_case(chance)
    observations = experiment(case, chance)
    extra = len(observations) - 1
    first = 0
    while not first:
        first = build(case, EVERYTHING, chance)
    question = Question(EVERYTHING, case.evidence, tuple(observations))
    groups: Sequence[Group] = (frozenset(), *groups_beside_none(question, case.evident))[:2]
    while groups and len(observations) < _MOST + extra:
        for group in groups:
            value = build(case, group, chance)
            observations.append(Observation(group, bool(value), value == first if value else None))
        groups = [with_entailed(group, EVERYTHING) for group in _ask(case, observations)]
    belief = believe(Question(EVERYTHING, case.evidence, tuple(observations)))
    chances = {name: belief.probability(name) for name in EVERYTHING}
    chances[""] = belief.by_kind(Kind.RANDOM, Kind.CLOCK)
    told = max(chances, key=lambda name: chances[name])
    old = _judge_as_before(case.evident, observations)
    builder = Builder(case, chance, _MOST_CHEAP - len(observations))
    proved = _is_any_proved(case, told, chances[told], belief, builder)
    return Told(
        case, told, chances[told], 1 + len(observations), builder.builds, old, proved,
        old_proved=bool(old) and builder.first_equal,
        wrong=tuple(sorted(name for name in EVERYTHING if chances[name] >= SURE and name not in case.causes)),
    )  # fmt: skip


def _ask(case: Case, observations: Sequence[Observation]) -> Sequence[Group]:
    return next_groups(Question(EVERYTHING, case.evidence, tuple(observations)), case.evident)


@dataclass(slots=True)
class Builder:
    """Builds pairs with remedies that do nothing."""

    case: Case
    chance: random.Random
    left: int
    builds: int = 0
    first_equal: bool = False

    def with_changes(self, changes: Changes) -> Sequence[BuildResult]:
        """Return two builds of a value each."""
        values = [build(self.case, varied, self.chance) for varied in (frozenset[str](), EVERYTHING)]
        self.first_equal = values[0] == values[1] if not self.builds else self.first_equal
        self.builds += 2
        self.left -= 2
        return [BuildResult(id=str(value), role=Role.REMEDY, environment={}, status=BuildStatus.OK) for value in values]


def _is_any_proved(case: Case, name: str, likely: float, belief: Belief, builder: Builder) -> bool:
    key = Key("o", "", "line 1", Field.CONTENT)
    place = Place(field=Field.CONTENT, location="line 1", control=b"0", experiment=b"1")
    cause = name or Cause.RANDOM
    known = likely >= SURE or name in case.evident
    target = RemedyTarget(key=key, place=place, cause=cause, known=known, tools=(), luck=belief.luck())
    remedies = [
        RemedyTemplate(causes=frozenset({cause}), summary=str(number), source="", settings={"NOTHING": str(number)})
        for number in range(builder.chance.randint(1, _MOST_REMEDIES))
    ]

    def look(one: BuildResult, other: BuildResult) -> Places:
        return {} if one.id == other.id else {key: place}

    found = RemedyTrials(look, cast(Rebuilder, builder), 0, remedies).run([target])  # it needs no more of one
    return any(remedy.proved for remedy in found.values())


def _judge_as_before(evident: Sequence[str], observations: Sequence[Observation]) -> str:
    if comes_by_itself(observations):
        return ""
    observations = [one for one in observations if not one.fresh]
    left = suspects_left(EVERYTHING, observations)
    shown = [one.varied & left for one in observations if one.shows]
    missed = sum(not one.varied & left for one in observations if not one.shows)
    for name in sorted({name for group in shown if len(group) == 1 for name in group}):
        if name in evident or (shown.count(frozenset({name})) >= _OLD_ENOUGH and missed >= _OLD_ENOUGH):
            return name
    return ""


def print_report(told: Sequence[Told]) -> None:
    """Print reliability, builds, and the old rules beside them."""
    print("said             cases   true")
    for low, high in pairwise(_BINS):
        bin_ = [one for one in told if low <= one.chance < high]
        if bin_:
            said = statistics.fmean(one.chance for one in bin_)
            true = statistics.fmean(one.name in one.case.causes for one in bin_)
            print(f"{said:<15.4f} {len(bin_):>6}   {true:.4f}")
    confirmed = [one for one in told if one.name and one.chance >= SURE]
    before = [one for one in told if one.old]
    print(f"\n{'':<28} {'model':>16} {'old rules':>16}   goal")
    wrong = [one for one in told if one.wrong], [one for one in before if one.old not in one.case.causes]
    _row("confirmed", confirmed, before)
    _row("wrong, of those confirmed", *wrong, (confirmed, before))
    chance = [one for one in told if not one.case.cause]
    proved = [one for one in chance if one.proved], [one for one in chance if one.old_proved]
    for label, found, of in (("wrong confirmed", wrong, told), ("wrong proved", proved, chance)):
        shares = [len(part) / len(of) for part in found]
        reached = "ok" if shares[0] <= _GOAL else "NOT REACHED"
        print(f"{label:<28} {shares[0]:>16.2%} {shares[1]:>16.2%}   <= {_GOAL:.1%}  {reached}")
    clear = [one for one in told if one.case.cause and one.case.cause in one.case.evident]
    median = statistics.median(one.builds for one in clear)
    print(f"{'median builds, clear cases':<28} {median:>16} {'':>16}   <= 4  {'ok' if median <= 4 else 'NOT REACHED'}")
    print(f"{'median builds, all cases':<28} {statistics.median(one.builds for one in told):>16}")


def _row(
    label: str,
    found: Sequence[Told],
    old: Sequence[Told],
    of: tuple[Sequence[Told], Sequence[Told]] | None = None,
) -> None:
    shown = [
        f"{len(part)}" + (f" of {len(whole)}" if of else "")
        for part, whole in zip((found, old), of or (found, old), strict=True)
    ]
    print(f"{label:<28} {shown[0]:>16} {shown[1]:>16}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=10_000, metavar="N", help="how many cases")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="cases of another seed are other cases")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="how many processes simulate")
    parser.add_argument("--wrong", action="store_true", help="print each wrong case too")
    options = parser.parse_args()
    begin = time.monotonic()
    names = [f"{options.seed}-{number}" for number in range(options.count)]
    with ProcessPoolExecutor(options.jobs) as pool:
        told = list(pool.map(simulate, names, chunksize=25))
    if options.wrong:
        for name, one in zip(names, told, strict=True):
            if one.proved or one.wrong:
                print(f"case {name}: {one}")
    print(f"seed {options.seed}\n")
    print_report(told)
    print(f"{options.count} cases in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
