"""The ways in which a difference may arise, and what each predicts of a build."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod

from pytest_ftc.diagnosis.group_testing import Group
from pytest_ftc.model import Cause

MISS, _STRAY = 1e-4, 1e-3
"""Probability that a difference does not show although its cause is varied, and that it shows without it.

The latter may happen when a day ends between builds.
"""
_COARSE = frozenset({
    Cause.BUILD_PATH, Cause.FILEORDERING, Cause.HASH_SEED, Cause.LOCALES, Cause.NUM_CPUS, Cause.SOURCE_MODE,
    Cause.SOURCE_MTIME, Cause.TIMEZONE, Cause.UMASK,
})  # fmt: skip
"""Causes for which another value often gives the control's result: a set of two has only two orders for all seeds."""
_MISS_COARSE, _MISS_FRESH = 0.4, 0.05
"""Probability that a difference does not show although its cause is varied, with a value unlike the experiment's."""
NO_LEAD = -1.0
"""The lead of an identifier that has random parts beside the time."""


class Kind(Enum):
    """How a difference arises."""

    ANY = "any"
    ALL = "all"
    SOMETIMES = "sometimes"
    RANDOM = "random"
    CLOCK = "clock"


Chances = tuple[float, float, float]
"""Probabilities that a build shows no difference, the experiment's value, and a third value."""


def _showing(shows: float, again: float) -> Chances:
    return 1 - shows, shows * again, shows * (1 - again)


_ALL_OF_IT = {steady: _showing(1 - MISS, 0.95 if steady else 0.1) for steady in (True, False)}
_PART_OF_IT = _showing(1 - MISS, 0.3)
_NONE_OF_IT = _showing(_STRAY, 0.5)
_AT_CLOCK, _ELSEWHERE = _showing(0.03, 0.05), _showing(0.995, 0.05)
_WHILE_STOPPED = _showing(0.005, 0.05)
_FAR_FROM_IT = _showing(0.9, 0.5)
"""Where the clock of the experiment is varied, times of which there are few, such as their length, are near its own."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way in which the difference may arise."""

    kind: Kind
    names: Group = frozenset()
    """The variations that are causes; for random values and times, those that also show in them."""
    rate: float = 1.0
    """Probability that it shows, for kinds with a rate; below 1 for what has few values for all times, as a length."""
    others: float = 1.0
    """Number of values other than the control's, for random values, and for times with few."""
    lead: float | None = None
    """The only lead that hits the time of the control; None if all do."""
    steady: bool = True
    """Whether the causes give the same value in each build."""

    def chances(
        self, varied: Group, lead: float | None = None, *, fresh: bool = False, stopped: bool = False
    ) -> Chances:
        """Return the probabilities of the outcomes of a build that varies `varied`; `fresh` if with new values.

        If `stopped`, of two builds that differ in nothing, with a clock that stands still.
        """
        if stopped:
            return self._chances_while_stopped()
        if fresh and self.kind in (Kind.ANY, Kind.ALL, Kind.RANDOM) and not self.names.isdisjoint(varied):
            return self._chances_of_fresh_values(varied)
        if self.kind is Kind.ANY:
            if self.names.isdisjoint(varied):
                return _NONE_OF_IT
            return _ALL_OF_IT[self.steady] if self.names <= varied else _PART_OF_IT
        if self.kind is Kind.ALL:
            return _ALL_OF_IT[self.steady] if self.names <= varied else _NONE_OF_IT
        if self.kind is Kind.CLOCK:
            hits = lead is not None and self.lead in (None, lead) and self.names.isdisjoint(varied)
            return _AT_CLOCK if hits else self._chances_at_another_time(varied)
        if self.kind is Kind.SOMETIMES:
            return _NONE_OF_IT if self.names.isdisjoint(varied) else _showing(self.rate, 0.5)
        if self.names.isdisjoint(varied):
            return _showing(self.rate, 1 / self.others)
        return _showing(1 - MISS, 0.3)

    def _chances_while_stopped(self) -> Chances:
        if self.kind is Kind.CLOCK:
            return self._chances_at_another_time(frozenset()) if self.lead == NO_LEAD else _WHILE_STOPPED
        if self.kind is not Kind.RANDOM:
            return _NONE_OF_IT
        return _showing(1 - equal_by_chance(self), 0.5)

    def _chances_at_another_time(self, varied: Group) -> Chances:
        if self.rate == 1.0:
            return _ELSEWHERE
        return _showing(self.rate, 1 / self.others) if self.names.isdisjoint(varied) else _FAR_FROM_IT

    def _chances_of_fresh_values(self, varied: Group) -> Chances:
        misses = [_MISS_COARSE if name in _COARSE else _MISS_FRESH for name in sorted(self.names & varied)]
        if self.kind is Kind.ALL:
            return _showing(prod(1 - miss for miss in misses), 0.5) if self.names <= varied else _NONE_OF_IT
        return _showing(1 - prod(misses), 0.5)


def equal_by_chance(one: Hypothesis) -> float:
    """Return the probability that two random values of this kind are equal."""
    return (1 - one.rate) ** 2 + one.rate**2 / one.others
