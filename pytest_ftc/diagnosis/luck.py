"""Whether builds agree because a remedy helps, or by luck.

Two builds of what is random agree by luck at some rate, which the builds so far tell only roughly.  So luck is not one
rate but many, each as likely as the builds have left it: a rate that is likely to be low may still be a high one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.diagnosis.posterior import SURE
from pytest_ftc.model.cause import INHERENT

Luck = tuple[tuple[float, float], ...]
"""Rates at which two builds that differ in everything agree by luck, each after how likely it is."""

_HELPS, _HELPS_INHERENT = 0.25, 0.05
"""How often a remedy helps, before it is tried: for a cause that is varied, and for what differs by itself."""
_SPOILT = 0.1
"""How often two builds differ with a remedy that helps: another one that is tried beside it may spoil it."""
_TIMES_INHERENT = 5
"""How many pairs of builds must agree at least where the cause is intermittent."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is known of one remedy for one difference."""

    luck: Luck
    cause: str
    equal: int = 0
    """How many pairs of builds agreed with it."""
    different: int = 0

    def with_pair(self, *, equal: bool) -> Trial:
        """Return what is known after two more builds with the remedy."""
        return replace(self, equal=self.equal + equal, different=self.different + (not equal))

    def of_another(self) -> Trial:
        """Return what is known of another remedy when this one has failed: all that agreed with it did so by luck."""
        left = [(weight * rate**self.equal, rate) for weight, rate in self.luck]
        total = sum(weight for weight, _ in left) or 1.0
        luck = tuple((weight / total, rate) for weight, rate in left)
        return Trial(luck, self.cause)

    def is_proved(self, choices: int) -> bool:
        """Return whether it is sure that the remedy helps, one of so many `choices` of which each may agree by luck."""
        inherent = self.cause in INHERENT
        if self.equal < (_TIMES_INHERENT if inherent else 1):
            return False
        helps = _HELPS_INHERENT if inherent else _HELPS
        drawn = sum(weight * rate**self.equal * (1 - rate) ** self.different for weight, rate in self.luck)
        by_luck = choices * (1 - helps) * drawn
        return helps * _SPOILT**self.different >= SURE * (helps * _SPOILT**self.different + by_luck)

    def can_be_proved(self, pairs: int) -> bool:
        """Return whether so many `pairs` of builds, if all of them agree, are proof."""
        return replace(self, equal=pairs).is_proved(1)
