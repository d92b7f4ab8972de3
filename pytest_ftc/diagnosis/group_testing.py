"""Group testing (Dorfman 1943): builds with subsets of the variations, and what they show about a difference.

`posterior` computes the probabilities of causes after such builds, and `next_builds` selects the next builds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from pytest_ftc.model import Cause

Group = frozenset[str]

_ENTAILS: Mapping[str, str] = {Cause.FILEORDERING: Cause.FILESYSTEM}
"""Varying the first also varies the second: another file order needs a file system of another type."""
HIDDEN: Mapping[str, int] = {
    Cause.TERMINAL: 5,
    Cause.LOCALES: 5,
    Cause.NUM_CPUS: 4,
    Cause.HASH_SEED: 3,
    Cause.NETWORK: 3,
    Cause.FILEORDERING: 3,
    Cause.TIMEZONE: 2,
    Cause.EXEC_PATH: 2,
    Cause.FILESYSTEM: 2,
    Cause.ASLR: 2,
    Cause.KERNEL: 2,
    Cause.PID: 2,
}
"""Relative frequency of causes that values do not show; 1 for all others."""
UNSETTLING: Group = frozenset({Cause.ASLR})
"""If this cause is confirmed and evident, others are not: addresses depend on everything laid out in memory."""
_FEW = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """One build: the variations applied, `with_entailed` ones, and whether the difference showed."""

    varied: Group
    shows: bool
    again: bool | None = None
    """Whether the value was that of the experiment; None if unknown."""
    lead: float | None = None
    """Seconds by which its clock started before that of the control; None if it started at an unrelated time."""
    fresh: bool = False
    """Whether the variations had values different from those of the experiment that is explained."""
    stopped: bool = False
    """Whether it compares two builds whose clocks stand still at one moment, and not one build with the control."""

    @property
    def outcomes(self) -> tuple[int, ...]:
        """The possible outcomes: 0 for no difference, 1 for the value of the experiment, 2 for a third value."""
        if not self.shows:
            return (0,)
        return (1, 2) if self.again is None else (1,) if self.again else (2,)


def with_entailed(group: Group, everything: Group) -> Group:
    """Return `group` with the variations of `everything` that it entails."""
    return group | everything.intersection(_ENTAILS[name] for name in group if name in _ENTAILS)


def without(everything: Group, group: Group) -> Group:
    """Return `everything` except `group` and variations that entail one of it."""
    return everything - group - {name for name, entailed in _ENTAILS.items() if entailed in group}


def suspects_left(everything: Group, observations: Iterable[Observation]) -> Group:
    """Return the variations that no build has ruled out."""
    return everything.difference(*(one.varied for one in observations if not one.shows))


def narrowed(everything: Group, observations: Sequence[Observation]) -> Group:
    """Return the smallest group that contains a cause according to the builds, without variations ruled out."""
    left = suspects_left(everything, observations)
    return min(
        (one.varied & left for one in observations if one.shows), key=lambda g: (len(g), sorted(g)), default=left
    )


def likeliest(left: Group) -> str:
    """Return the one of few variations `left` that most often causes differences without values; empty for many."""
    return max(sorted(left), key=lambda name: HIDDEN.get(name, 1)) if 0 < len(left) <= _FEW else ""


def only_unsettled(proved: Group, evident: Collection[str]) -> Group:
    """Return the independent causes among `proved`: not those that only move addresses which are random anyway."""
    return proved & frozenset(evident) if proved & UNSETTLING & set(evident) else proved


def comes_by_itself(observations: Iterable[Observation]) -> bool:
    """Return whether the difference is inherent: whether it showed with nothing varied."""
    return any(one.shows and not one.varied for one in observations)


def smallest_healing(everything: Group, observations: Iterable[Observation]) -> Group:
    """Return the smallest group whose absence made the difference disappear."""
    healing = [everything - one.varied for one in observations if not one.shows]
    return min(healing, key=lambda group: (len(group), sorted(group)), default=everything)


def share(proposals: Mapping[Any, Sequence[Group]], most: int) -> list[Group]:
    """Return at most `most` groups to build next, those that serve most differences first.

    Cases with the same proposals get a logarithmic weight, so that a hundred members of an archive do not use up all
    builds.
    """
    questions = Counter(tuple(groups[:2]) for groups in proposals.values())
    votes: dict[Group, float] = {}
    for groups, count in questions.items():
        for place, group in enumerate(dict.fromkeys(groups)):
            votes[group] = votes.get(group, 0) + (1 if place == 0 else 0.4) * (1 + log2(count))
    return sorted(votes, key=lambda group: (-votes[group], -len(group), sorted(group)))[:most]
