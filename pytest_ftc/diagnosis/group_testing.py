"""Builds that vary only some variations, and what they show of a difference: group testing, as Dorfman had it.

How likely each cause is after such builds is in `posterior`, and which builds come next is in `next_builds`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from pytest_ftc.model import Cause

Group = frozenset[str]

_ENTAILS: Mapping[str, str] = {Cause.FILEORDERING: Cause.FILESYSTEM}
"""Files are put in another order on a file system of another type."""
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
"""How often a cause is one that its values do not show, as against 1 for all others."""
UNSETTLING: Group = frozenset({Cause.ASLR})
"""Where this is proved and evident, other causes are not: an address moves with all that is laid out in memory."""
_FEW = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """A build: what was varied in it, `with_entailed`, and whether the difference was there."""

    varied: Group
    shows: bool
    again: bool | None = None
    """Whether the value was that of the experiment; None when that is not known."""
    lead: float | None = None
    """Seconds by which it started short of the time of the control, by its clock; None if it started at another."""
    fresh: bool = False
    """Whether the variations had other values than in the experiment that is explained."""

    @property
    def outcomes(self) -> tuple[int, ...]:
        """Which of three it may be: 0 for no difference, 1 for the value of the experiment, 2 for another one."""
        if not self.shows:
            return (0,)
        return (1, 2) if self.again is None else (1,) if self.again else (2,)


def with_entailed(group: Group, everything: Group) -> Group:
    """Return `group` with what of `everything` cannot but vary when it does."""
    return group | everything.intersection(_ENTAILS[name] for name in group if name in _ENTAILS)


def without(everything: Group, group: Group) -> Group:
    """Return `everything` but for `group`, and for what entails one of it."""
    return everything - group - {name for name, entailed in _ENTAILS.items() if entailed in group}


def suspects_left(everything: Group, observations: Iterable[Observation]) -> Group:
    """Return the variations that no build has cleared."""
    return everything.difference(*(one.varied for one in observations if not one.shows))


def narrowed(everything: Group, observations: Sequence[Observation]) -> Group:
    """Return the smallest group in which builds have shown a cause to be, without what others have cleared."""
    left = suspects_left(everything, observations)
    return min(
        (one.varied & left for one in observations if one.shows), key=lambda g: (len(g), sorted(g)), default=left
    )


def likeliest(left: Group) -> str:
    """Return which of the few variations `left` is most often a cause that its values do not show; empty for many."""
    return max(sorted(left), key=lambda name: HIDDEN.get(name, 1)) if 0 < len(left) <= _FEW else ""


def only_unsettled(proved: Group, evident: Collection[str]) -> Group:
    """Return those of `proved` that are causes by themselves: not what only moves addresses that are random anyway."""
    return proved & frozenset(evident) if proved & UNSETTLING & set(evident) else proved


def comes_by_itself(observations: Iterable[Observation]) -> bool:
    """Return whether the difference showed with nothing varied."""
    return any(one.shows and not one.varied for one in observations)


def smallest_healing(everything: Group, observations: Iterable[Observation]) -> Group:
    """Return the smallest group without which the difference did not show."""
    healing = [everything - one.varied for one in observations if not one.shows]
    return min(healing, key=lambda group: (len(group), sorted(group)), default=everything)


def share(proposals: Mapping[object, Sequence[Group]], most: int) -> list[Group]:
    """Return at most `most` groups to build next: those first that serve most of the differences, each by its own.

    A hundred members of an archive that ask the same are little more than one: else they would use up all builds.
    """
    questions = Counter(tuple(groups[:2]) for groups in proposals.values())
    votes: dict[Group, float] = {}
    for groups, count in questions.items():
        for place, group in enumerate(groups):
            votes[group] = votes.get(group, 0) + (1 if place == 0 else 0.4) * (1 + log2(count))
    return sorted(votes, key=lambda group: (-votes[group], -len(group), sorted(group)))[:most]
