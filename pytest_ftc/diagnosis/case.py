"""The state of a diagnosis: one case for each place that differs, and what all cases share."""

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
"""Returns the causes suggested by the values of a place, most likely first."""


@dataclass(slots=True)
class Case:
    """One place that differs, and the observations of it."""

    place: Place
    suspicions: Sequence[Suspicion]
    observations: list[Observation] = field(default_factory=list)
    experiments: list[Observation] = field(default_factory=list)
    """The other experiments, each with its own values of all variations."""
    planted: set[str] = field(default_factory=set)
    """Causes whose planted value appeared in a build that varied only them."""
    parallel: bool | None = None
    """Whether several processes or threads wrote it concurrently; None if unknown."""
    pairs: list[bool] = field(default_factory=list)
    """For each pair of builds on one CPU, whether they were equal."""

    @property
    def suspects(self) -> list[str]:
        """The causes suggested by the values."""
        return list(dict.fromkeys(suspicion.cause for suspicion in self.suspicions))

    @property
    def evident(self) -> list[str]:
        """Causes whose planted values appear on both sides."""
        return [suspicion.cause for suspicion in self.suspicions if suspicion.strength >= Strength.STRONG]

    @property
    def pattern(self) -> tuple[bool, ...]:
        """Whether it shows, for each build in order."""
        return tuple(one.shows for one in self.observations if one.lead is None)

    @property
    def builds(self) -> int:
        """Number of builds on which the conclusion is based."""
        return 1 + len(self.experiments) + len(self.observations) + 2 * len(self.pairs)

    def ask(self, everything: Group) -> Question:
        """Return the observations as input for the model."""
        evidence = dict(weigh(self.suspicions))
        if self.parallel and Cause.RACE in evidence:
            evidence[Cause.RACE] = ODDS_OF_ORDER
        first, *others = self.observations
        return Question(everything, tuple(sorted(evidence.items())), (first, *self.experiments, *others))

    def believe(self, everything: Group) -> Belief:
        """Return the probability of each hypothesis about the difference."""
        return believe(self.ask(everything))

    def race_probability(self, everything: Group) -> float:
        """Return the probability of a race, given that the difference is inherent."""
        suspected = Cause.RACE in self.suspects
        if not self.parallel:
            return 0.5 if self.parallel is None and suspected else 0.0
        return race_probability(self.believe(everything).luck(), self.pairs, suspected=suspected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation:
    """The inputs shared by all cases of one artifact."""

    control: BuildResult
    everything: Group
    """All variations that differ between the control and the experiment."""
    look: Look
    suspect: Suspect
    rebuilder: Rebuilder | None
    """None for a diagnosis without further builds."""
    tree: str
    """The build path of the control."""
    experiments: Sequence[BuildResult] = ()
    """Further experiments, each with different values of all variations."""
