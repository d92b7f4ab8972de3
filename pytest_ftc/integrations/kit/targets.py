"""The limits in rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What alerts expect; see docs/runbooks.md."""

    build_success: float = 0.995
    """The share of control builds that shall succeed."""
    reproducible: float = 0.999
    """The share of decided verdicts that shall be reproducible; 1 would leave no budget that can burn."""
    retries: float = 0.05
    """The share of attempts that may be repeated for a transient fault."""
    cache_hits: float = 0.85
    """The share of lookups that shall find a verdict."""
    verified_days: float = 30
    """Days after which an artifact shall have been verified by building again."""
    stuck_timeouts: float = 2
    """How many times as long as a build may take nothing needs to happen in a session."""
    stuck_seconds: float = 600
    """So many seconds longer, in any case."""
    slower: float = 1.5
    """How many times as long as in the week a build may take on average in a day."""
    cost_per_day: float = 10
    """What the verification of a project may cost in a day, in the currency of ``[tool.ftc.cost]``."""

    def __post_init__(self) -> None:
        """Raise ValueError for a target without a budget."""
        for name in ("build_success", "reproducible"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name}: expected a share between 0 and 1, which leaves a budget")
