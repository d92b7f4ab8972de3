"""The state of a diagnosis: one case for each place that differs, and what all cases share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftc.comparison.members.twins import Twin
from pytest_ftc.diagnosis.canaries.random_tokens import LOOK_COMPUTED
from pytest_ftc.diagnosis.group_testing import Group, Observation
from pytest_ftc.diagnosis.hypotheses import Kind
from pytest_ftc.diagnosis.places import Key, Places
from pytest_ftc.diagnosis.posterior import (
    LIKELY,
    ODDS_OF_ORDER,
    SURE,
    Belief,
    Question,
    believe,
    race_probability,
    weigh,
)
from pytest_ftc.model import BuildResult, Cause, Field, Place, Strength, Suspicion
from pytest_ftc.model.cause import INHERENT
from pytest_ftc.model.protocols import Rebuilder

UNVARIED_TOO: Collection[str] = (*INHERENT, Cause.TIME)
"""Causes of differences between two builds in the same environment."""

Look = Callable[[BuildResult, BuildResult], Places]
"""Returns the places in which two builds differ."""
Span = tuple[int, int]
Suspect = Callable[[Place, BuildResult, BuildResult], Sequence[Suspicion]]
"""Returns the causes suggested by the values of a place, most likely first."""
_OF_A_PATH = 6.0
"""Likelihood ratio of a digest for the build path: most that are computed of the environment are of paths of files."""


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
    mixed: bool = False
    """Whether several processes made it concurrently, and its parts are in another order."""
    pairs: list[bool] = field(default_factory=list)
    """For each pair of builds on one CPU, whether they were equal."""
    sources: Sequence[Key] = ()
    """The places that this one follows from, as its values tell; nothing else is asked about it."""
    is_computed: bool = False
    """Whether `sources` are known only from the builds in which they differ, so that more builds may refute them."""
    elsewhere: tuple[str, ...] = ()
    """Causes confirmed at other places without which it never shows, though it does not always show with them."""
    beside: Case | None = None
    """What it has beside the values that explain it; None if nothing."""
    steady: Case | None = None
    """What of it changes with the variations alone, where the rest is random; None if nothing."""
    hidden: Case | None = None
    """What of it differs while the clock stands still, where the rest is a time; None if nothing."""
    at_turn: Case | None = None
    """What of it changes with the time zone at the turn of a year, where the rest is a date; None if nothing."""
    hides_nothing: bool = False
    """Whether it did not differ when all but what its values tell was varied while the clock stood still."""
    may_be_luck: bool = False
    """Whether it may be equal by luck while the clock stands still: the order of its lines or its array is not then."""
    noise: tuple[Span, ...] = ()
    """Where it differs with nothing varied: from byte, to byte."""
    is_noise_known: bool = True
    """Whether the last build with nothing varied differed only where earlier ones did, as compressed data does not."""
    seen: list[tuple[Group, Place | None]] = field(default_factory=list)
    """What builds that varied a group have at this place."""
    shown_as: list[tuple[Group, Place]] = field(default_factory=list)
    """What differed in builds that varied a group, at this place or at another offset of the same data."""

    @property
    def is_name(self) -> bool:
        """Whether it is a name that differs, of something that both builds have."""
        return self.place.field is Field.NAME and bool(self.place.control and self.place.experiment)

    @property
    def parts(self) -> list[Case]:
        """The cases of its parts."""
        return [part for part in (self.beside, self.steady, self.hidden, self.at_turn) if part]

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
    def tested_by_clock(self) -> bool:
        """Whether builds have shown whether it follows from the clock."""
        return any(one.stopped or one.lead is not None for one in self.observations)

    @property
    def builds(self) -> int:
        """Number of builds on which the conclusion is based."""
        stopped = any(one.stopped for one in self.observations)
        return 1 + len(self.experiments) + len(self.observations) + stopped + 2 * len(self.pairs)

    def ask(self, everything: Group) -> Question:
        """Return the observations as input for the model."""
        evidence = dict(weigh(self.suspicions))
        if self.mixed and Cause.RACE in evidence:
            evidence[Cause.RACE] = ODDS_OF_ORDER
        if any(one.why in LOOK_COMPUTED for one in self.suspicions):
            evidence.setdefault(Cause.BUILD_PATH, _OF_A_PATH)
        first, *others = self.observations
        return Question(everything, tuple(sorted(evidence.items())), (first, *self.experiments, *others))

    def believe(self, everything: Group) -> Belief:
        """Return the probability of each hypothesis about the difference."""
        return believe(self.ask(everything))

    def seems_a_time(self, everything: Group) -> bool:
        """Return whether builds show that it likely follows from the clock; surely, where it may be equal by luck."""
        least = SURE if self.may_be_luck else LIKELY
        return self.tested_by_clock and self.believe(everything).by_kind(Kind.CLOCK) >= least

    def race_probability(self, everything: Group) -> float:
        """Return the probability of a race, given that the difference is inherent."""
        if not self.parallel:
            return 0.5 if self.parallel is None and Cause.RACE in self.suspects else 0.0
        odds = ODDS_OF_ORDER if self.mixed else 1.0
        return race_probability(self.believe(everything).luck(), self.pairs, odds)


def places_in(cases: Mapping[Key, Case]) -> Places:
    """Return the place of each of `cases`."""
    return {key: case.place for key, case in cases.items()}


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
    experiment: BuildResult | None = None
    """The build that differs; None to look for no parts of places."""
    tree: str
    """The build path of the control."""
    twins: Sequence[tuple[str, Twin]] = ()
    """Contents that differ, each with its output; more are added with each comparison."""
    experiments: Sequence[BuildResult] = ()
    """Further experiments, each with different values of all variations."""
    renamed: Callable[[BuildResult, BuildResult], Mapping[str, str]] = lambda *_: {}
    """Returns the names in the second build of outputs that have another name there than in the first."""
    stopped: list[BuildResult] = field(default_factory=list)
    """Builds that varied nothing while the clock stood still; more are added."""
    at_turn: list[BuildResult] = field(default_factory=list)
    """Two builds at the turn of a year: one that varied nothing, and one that varied the time zone."""
    notes: dict[str, None] = field(default_factory=dict)
    """What could not be tried, for the user: one sentence each."""

    @property
    def is_late(self) -> bool:
        """Whether the time for builds is up."""
        return self.rebuilder is not None and self.rebuilder.is_late
