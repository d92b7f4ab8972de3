"""One place that differs, what is known of it, and with what it is looked into."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pytest_ftc.diagnosis.group_testing import Group, Observation
from pytest_ftc.diagnosis.places import Places
from pytest_ftc.diagnosis.posterior import ODDS_OF_ORDER, Belief, Question, believe, race_probability, weigh
from pytest_ftc.model import BuildResult, Cause, Place, Strength, Suspicion
from pytest_ftc.model.cause import INHERENT
from pytest_ftc.model.protocols import Rebuilder

UNVARIED_TOO: Collection[str] = (*INHERENT, Cause.TIME)
"""Causes of differences between two builds in the same environment."""

Look = Callable[[BuildResult, BuildResult], Places]
"""Returns the places in which two builds differ."""
Suspect = Callable[[Place, BuildResult, BuildResult], Sequence[Suspicion]]
"""Returns what the values of a place point to, the most likely first."""


@dataclass(slots=True)
class Case:
    """One place that differs, and what is known of it."""

    place: Place
    suspicions: Sequence[Suspicion]
    observations: list[Observation] = field(default_factory=list)
    experiments: list[Observation] = field(default_factory=list)
    """The other experiments, each with its own values of all variations."""
    planted: set[str] = field(default_factory=set)
    """Causes of which a build that varied them alone held the experiment's own value."""
    parallel: bool | None = None
    """Whether it was made by several at a time; None when that is not known."""
    pairs: list[bool] = field(default_factory=list)
    """For each two builds on one CPU, whether they were equal."""

    @property
    def suspects(self) -> list[str]:
        """The causes that the values point to."""
        return list(dict.fromkeys(suspicion.cause for suspicion in self.suspicions))

    @property
    def evident(self) -> list[str]:
        """Causes whose own values stand on both sides."""
        return [suspicion.cause for suspicion in self.suspicions if suspicion.strength >= Strength.STRONG]

    @property
    def pattern(self) -> tuple[bool, ...]:
        """In which builds it shows."""
        return tuple(one.shows for one in self.observations if one.lead is None)

    @property
    def builds(self) -> int:
        """How many builds what is known rests on."""
        return 1 + len(self.experiments) + len(self.observations) + 2 * len(self.pairs)

    def ask(self, everything: Group) -> Question:
        """Return what is known, as the model takes it."""
        evidence = dict(weigh(self.suspicions))
        if self.parallel and Cause.RACE in evidence:
            evidence[Cause.RACE] = ODDS_OF_ORDER
        first, *others = self.observations
        return Question(everything, tuple(sorted(evidence.items())), (first, *self.experiments, *others))

    def believe(self, everything: Group) -> Belief:
        """Return how likely each way is in which the difference may come about."""
        return believe(self.ask(everything))

    def race_probability(self, everything: Group) -> float:
        """Return how likely it is a race, if it comes by itself."""
        suspected = Cause.RACE in self.suspects
        if not self.parallel:
            return 0.5 if self.parallel is None and suspected else 0.0
        return race_probability(self.believe(everything).luck(), self.pairs, suspected=suspected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation:
    """What one artifact's differences are diagnosed with."""

    control: BuildResult
    everything: Group
    """All variations in which the control and the experiment differ."""
    look: Look
    suspect: Suspect
    rebuilder: Rebuilder | None
    """None for a diagnosis without further builds."""
    tree: str
    """The build path of the control."""
    experiments: Sequence[BuildResult] = ()
    """Those beside the one that is explained, each with its own values of all variations."""
