"""Whether what the diagnosis says is as likely as it says, on simulated cases and without a build.

``calibration.py N`` simulates N cases (10,000 by default) with the diagnosis' own model: half are random at a rate from
0.02 to 0.98, with two to many values, and half have one cause, which the values point to in some.  It prints how often
what was said with which probability is true, how many builds it took, and the same for the rules used before: a cause
was sure when the values spoke for it, or after three builds each way, and a remedy was proved by one equal pair.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_ftc.diagnosis.group_testing import HIDDEN, Group, Observation, comes_by_itself, suspects_left, with_entailed
from pytest_ftc.diagnosis.next_builds import next_groups
from pytest_ftc.diagnosis.posterior import SURE, Kind, Question, believe, is_proved
from pytest_ftc.variations import CATALOGUE

EVERYTHING: Group = frozenset(variation.name for variation in CATALOGUE)
_NAMES = sorted(EVERYTHING - {"filesystem", "fileordering"})
_GOAL = 0.005
_MOST = 24
_STRENGTHS: Mapping[float, float] = {1e6: 0.3, 2e3: 0.35, 6.0: 0.15, 1.0: 0.2}
"""How strongly the values point to the cause, and how often."""
_BINS = (0.0, 0.5, 0.9, 0.99, SURE, 1.01)
_OLD_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One difference: its cause, empty for one by chance, and what its values point to."""

    cause: str
    rate: float
    values: int
    evidence: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a case: by the model, and by the old rules from the same builds."""

    case: Case
    name: str
    chance: float
    builds: int
    old: str
    """The cause that the old rules were sure of; empty for none."""
    proved: bool
    old_proved: bool
    """Whether a remedy that does nothing was called proved."""


def draw_case(chance: random.Random) -> Case:
    """Return a case: by chance, or with one cause."""
    if chance.random() < 0.5:
        # By luck the values point to something, as often as strong evidence is wrong by its own measure.
        lucky = [(strength, 1 / strength) for strength in _STRENGTHS if strength > 1]
        evidence = tuple((chance.choice(_NAMES), strength) for strength, odds in lucky if chance.random() < odds)[:1]
        return Case("", chance.uniform(0.02, 0.98), chance.choice((1, 1, 2, 3, 9, 10**6)), evidence)
    cause = chance.choices(_NAMES, [HIDDEN.get(name, 1) for name in _NAMES])[0]
    strength = chance.choices(list(_STRENGTHS), list(_STRENGTHS.values()))[0]
    return Case(cause, 1.0, 1, ((cause, strength),) if strength > 1 else ())


def build(case: Case, varied: Group, first: int, chance: random.Random) -> tuple[bool, int]:
    """Return whether the difference shows in a build, and its value."""
    if case.cause:
        return case.cause in varied, first
    return chance.random() < case.rate, chance.randrange(case.values)


def simulate(seed: int) -> Told:
    """Diagnose one case, and try a remedy that does nothing."""
    chance = random.Random(seed)
    case = draw_case(chance)
    first = chance.randrange(case.values)
    observations = [Observation(EVERYTHING, True)]
    evident = [name for name, strength in case.evidence if strength >= 2e3]
    groups: Sequence[Group] = (frozenset(), *_ask(case, observations, evident))[:2]
    while groups and len(observations) < _MOST:
        for group in groups:
            shows, value = build(case, group, first, chance)
            observations.append(Observation(group, shows, value == first if shows else None))
        groups = [with_entailed(group, EVERYTHING) for group in _ask(case, observations, evident)]
    belief = believe(Question(EVERYTHING, case.evidence, tuple(observations)))
    chances = {name: belief.probability(name) for name in EVERYTHING}
    chances[""] = belief.by_kind(Kind.RANDOM, Kind.CLOCK)
    name = max(chances, key=lambda name: chances[name])
    pairs = _equal_pairs(case, chance)
    least = 1 if name else 5
    proved = any(is_proved(belief.luck(), count, 1) for count in range(least, pairs + 1))
    old = _judge_as_before(evident, observations)
    return Told(case, name, chances[name], 1 + len(observations), old, proved, pairs > 0 and bool(old))


def _ask(case: Case, observations: Sequence[Observation], evident: Sequence[str]) -> Sequence[Group]:
    return next_groups(Question(EVERYTHING, case.evidence, tuple(observations)), evident)


def _equal_pairs(case: Case, chance: random.Random) -> int:
    """Return how many pairs of builds in a row are equal by luck, with a remedy that does nothing."""

    def value() -> int:
        return 1 + chance.randrange(case.values) if chance.random() < case.rate else 0

    if case.cause:
        return 0
    return next((count for count in range(12) if value() != value()), 12)


def _judge_as_before(evident: Sequence[str], observations: Sequence[Observation]) -> str:
    if comes_by_itself(observations):
        return ""
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
            true = statistics.fmean(one.name == one.case.cause for one in bin_)
            print(f"{said:<15.4f} {len(bin_):>6}   {true:.4f}")
    confirmed = [one for one in told if one.name and one.chance >= SURE]
    before = [one for one in told if one.old]
    print(f"\n{'':<28} {'model':>16} {'old rules':>16}   goal")
    _row("confirmed, one cause", confirmed, before, lambda one: bool(one.case.cause))
    _row("wrong, of those confirmed", confirmed, before, lambda one: not one.case.cause, (confirmed, before))
    wrong = (
        [one for one in confirmed if one.name != one.case.cause],
        [one for one in before if one.old != one.case.cause],
    )
    chance = [one for one in told if not one.case.cause]
    proved = [one for one in chance if one.proved], [one for one in chance if one.old_proved]
    for label, found, of in (("wrong confirmed", wrong, told), ("wrong proved", proved, chance)):
        shares = [len(part) / len(of) for part in found]
        reached = "ok" if shares[0] <= _GOAL else "NOT REACHED"
        print(f"{label:<28} {shares[0]:>16.2%} {shares[1]:>16.2%}   <= {_GOAL:.1%}  {reached}")
    clear = [one.builds for one in told if one.case.cause and dict(one.case.evidence).get(one.case.cause, 1) >= 2e3]
    median = statistics.median(clear)
    print(f"{'median builds, clear cases':<28} {median:>16} {'':>16}   <= 4  {'ok' if median <= 4 else 'NOT REACHED'}")
    print(f"{'median builds, all cases':<28} {statistics.median(one.builds for one in told):>16}")


def _row(
    label: str,
    found: Sequence[Told],
    old: Sequence[Told],
    counts: Callable[[Told], bool],
    of: tuple[Sequence[Told], Sequence[Told]] | None = None,
) -> None:
    shown = [f"{sum(map(counts, part))}" + (f" of {len(whole)}" if of else "")
             for part, whole in zip((found, old), of or (found, old), strict=True)]  # fmt: skip
    print(f"{label:<28} {shown[0]:>16} {shown[1]:>16}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=10_000, metavar="N", help="how many cases")
    options = parser.parse_args()
    begin = time.monotonic()
    print_report([simulate(seed) for seed in range(options.count)])
    print(f"{options.count} cases in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
