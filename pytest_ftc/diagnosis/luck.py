"""The probability that builds agree because a remedy helps, and not by luck.

Two builds with a random output agree by luck at some rate, which the builds so far determine only roughly.  Luck is
therefore a distribution of rates, not one rate: a rate that is probably low may still be high.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.diagnosis.posterior import SURE
from pytest_ftc.model.cause import INHERENT

Luck = tuple[tuple[float, float], ...]
"""Pairs of a probability and a rate: the rate at which two builds that differ in everything agree by luck."""

_HELPS, _HELPS_INHERENT = 0.25, 0.05
"""Prior probability that a remedy helps: for a variation, and for an inherent difference."""
_SPOILT = 0.1
"""Probability that two builds differ with an effective remedy: another one tested with it may counteract it."""
_TIMES_INHERENT = 5
"""Fewest pairs of builds that must agree if the cause is inherent."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The results of one remedy for one difference."""

    luck: Luck
    cause: str
    equal: int = 0
    """Number of pairs of builds that agreed with it."""
    different: int = 0

    def with_pair(self, *, equal: bool) -> Trial:
        """Return the results with one more pair of builds."""
        return replace(self, equal=self.equal + equal, different=self.different + (not equal))

    def of_another(self) -> Trial:
        """Return the trial of another remedy after this one has failed: pairs that agreed did so by luck."""
        left = [(weight * rate**self.equal, rate) for weight, rate in self.luck]
        total = sum(weight for weight, _ in left) or 1.0
        luck = tuple((weight / total, rate) for weight, rate in left)
        return Trial(luck, self.cause)

    def is_proved(self, choices: int) -> bool:
        """Return whether the remedy is proved to help, if it is one of `choices` remedies that may agree by luck."""
        inherent = self.cause in INHERENT
        if self.equal < (_TIMES_INHERENT if inherent else 1):
            return False
        helps = _HELPS_INHERENT if inherent else _HELPS
        drawn = sum(weight * rate**self.equal * (1 - rate) ** self.different for weight, rate in self.luck)
        by_luck = choices * (1 - helps) * drawn
        return helps * _SPOILT**self.different >= SURE * (helps * _SPOILT**self.different + by_luck)

    def can_be_proved(self, pairs: int) -> bool:
        """Return whether `pairs` pairs of builds would be proof if all of them agree."""
        return replace(self, equal=pairs).is_proved(1)
