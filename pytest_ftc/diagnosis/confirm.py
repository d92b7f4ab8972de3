"""Which variations cause each difference, confirmed by building with only some of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftc.diagnosis.culprits import find_culprit, find_source, is_made_in_parallel
from pytest_ftc.diagnosis.group_testing import (
    Group,
    Observation,
    comes_by_itself,
    is_sure,
    likeliest,
    needs_several,
    next_groups,
    only_unsettled,
    proved_causes,
    share,
    smallest_healing,
    suspects_left,
    with_entailed,
)
from pytest_ftc.diagnosis.places import Key, Places, match_places, show_values, showing
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Place, Strength, Suspicion, Trace
from pytest_ftc.model.cause import INHERENT
from pytest_ftc.model.protocols import Rebuilder

_AT_ONCE = 2
_FOR_REMEDIES, _FOR_ONE_REMEDY = 4, 2
"""Builds that are kept for trying remedies, when a cause is known and before."""
_UNVARIED_TOO: Collection[str] = (*INHERENT, Cause.TIME)
"""Causes of differences between two builds in the same environment."""
_LEADS = (0.0, 0.3)
"""Seconds: a build that is a little slower than the control reads the same second if it starts a little earlier."""

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
    planted: set[str] = field(default_factory=set)
    """Causes of which a build that varied them alone held the experiment's own value."""
    parallel: bool | None = None
    """Whether it was made by several at a time; None when that is not known."""
    races: bool | None = None
    """Whether its output is the same in two builds on one CPU; None when that was not tried."""

    @property
    def suspects(self) -> list[str]:
        return list(dict.fromkeys(suspicion.cause for suspicion in self.suspicions))

    @property
    def evident(self) -> list[str]:
        """Causes whose own values stand on both sides."""
        return [suspicion.cause for suspicion in self.suspicions if suspicion.strength >= Strength.STRONG]


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


def confirm(cases: dict[Key, Case], given: Investigation) -> Trace | None:
    """Rebuild until the variations that cause each case are known; return the trace of the first build."""
    rebuilder, everything = given.rebuilder, given.everything
    if rebuilder is None:
        return None
    trace: Trace | None = None
    groups: list[Group] = [frozenset(), *_proposals(cases, everything, _AT_ONCE - 1)]
    first = True
    while groups and rebuilder.left:
        results = rebuilder.varying(groups[: rebuilder.left], trace=first)
        trace = results[0].trace if first else trace
        first = False
        for group, result in zip(groups, results, strict=False):
            _observe(cases, given, with_entailed(group, everything), result)
        spare = rebuilder.left - (_FOR_REMEDIES if _is_any_known(cases, everything) else _FOR_ONE_REMEDY)
        groups = _proposals(cases, everything, min(_AT_ONCE, spare)) if spare > 0 else []
    if trace:
        _check_races(cases, given, rebuilder, trace)
    if Cause.TIME in everything:
        _check_clock(cases, given, rebuilder)
    return trace


def _proposals(cases: Mapping[Key, Case], everything: Group, most: int) -> list[Group]:
    return share({key: list(_next_groups(case, everything)) for key, case in cases.items()}, most)


def _next_groups(case: Case, everything: Group) -> Iterator[Group]:
    yield from next_groups(everything, case.suspects, case.evident, case.observations)
    if comes_by_itself(case.observations):
        # Other causes in it are known by their values alone.
        done = {one.varied for one in case.observations}
        groups = (with_entailed(frozenset({name}), everything) for name in case.evident if name not in _UNVARIED_TOO)
        yield from (group for group in groups if group not in done)


def _is_any_known(cases: Mapping[Key, Case], everything: Group) -> bool:
    return any(confirmed for case in cases.values() for _, confirmed in conclude(case, everything))


def _observe(cases: dict[Key, Case], given: Investigation, group: Group, result: BuildResult) -> None:
    """Note for all `cases` whether they show in `result`; what differs with nothing varied is a new case."""
    if result.status is not BuildStatus.OK:
        return
    places = given.look(given.control, result)
    differing, shown = match_places(cases, places), showing(cases, places)
    shifted = {(key.output, key.field) for key in shown if key not in differing}
    unknown = [key for key in differing if key not in cases]
    for key, case in cases.items():
        case.observations.append(Observation(group, key in shown))
        if key in differing:
            case.planted.update(one.cause for one in case.suspicions if _is_planted(one, group, differing[key]))
        if key in differing and len(group) == 1 and group & set(case.evident):
            found = given.suspect(differing[key], given.control, result)
            case.planted.update(one.cause for one in found if one.cause in group and one.strength >= Strength.STRONG)
    for key in unknown if not group else ():
        if (key.output, key.field) not in shifted:
            found = given.suspect(differing[key], given.control, result)
            drawn = [one for one in found if one.cause in _UNVARIED_TOO]
            cases[key] = Case(differing[key], drawn, [Observation(group, True)])


def _is_planted(suspicion: Suspicion, group: Group, place: Place) -> bool:
    value = suspicion.experiment.encode("utf-8", "surrogateescape")
    return suspicion.cause in group and len(group) == 1 and bool(value) and value in place.experiment


def _check_races(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder, trace: Trace) -> None:
    """Find what wrote the places that no value explains; where that may race, build twice on one CPU."""
    for key, case in cases.items():
        if not case.evident:
            values = [show_values(case.place).control]
            path = find_source(trace, f"{given.tree}/{key.output}", case.place, values)
            program = find_culprit(trace, path, values, case.place.format)
            threads = Cause.RACE in case.suspects
            case.parallel = is_made_in_parallel(trace, path, program, threads=threads) if program else None
    doubtful = {
        key: case
        for key, case in cases.items()
        if case.parallel and not case.suspects and comes_by_itself(case.observations)
    }
    alone = frozenset({Cause.NUM_CPUS})
    if not doubtful or not alone & given.everything or rebuilder.left < 2:
        return
    one, other = rebuilder.varying([alone, alone])
    if any(build.status is not BuildStatus.OK for build in (one, other)):
        return
    still = {key.output for key in given.look(one, other)}
    for key, case in doubtful.items():
        case.races = key.output not in still


def _check_clock(cases: Mapping[Key, Case], given: Investigation, rebuilder: Rebuilder) -> None:
    """Build with the clock of the control where something seems random: a time is then the same, twice."""
    hits: dict[Key, list[float]] = {
        key: []
        for key, case in cases.items()
        if comes_by_itself(case.observations) and not case.evident and not case.parallel
    }
    for lead in _LEADS:
        _note_hits(hits, lead, cases, given, rebuilder)
    # Whatever is read near the end of a second hits with one of the leads alone.
    again = {lead for leads in hits.values() if len(leads) == 1 for lead in leads}
    for lead in sorted(again):
        once = {key: leads for key, leads in hits.items() if leads == [lead]}
        _note_hits(once, lead, cases, given, rebuilder)
    why = "it does not differ when the clock is set to that of the control build"
    for case in (cases[key] for key, leads in hits.items() if len(leads) > 1):
        text = show_values(case.place)
        case.suspicions = [
            Suspicion(Cause.TIME, Strength.STRONG, text.control, text.experiment, why),
            *(one for one in case.suspicions if one.cause != Cause.TIME),
        ]


def _note_hits(
    hits: Mapping[Key, list[float]],
    lead: float,
    cases: Mapping[Key, Case],
    given: Investigation,
    rebuilder: Rebuilder,
) -> None:
    """Build once with the clock of the control, `lead` seconds early, and note for which cases nothing differs."""
    if not hits or rebuilder.left < 1:
        return
    result = rebuilder.at_the_time_of(given.control, lead)
    if result.status is not BuildStatus.OK:
        return
    differing = {(key.output, key.field) for key in match_places(cases, given.look(given.control, result))}
    for key, leads in hits.items():
        if (key.output, key.field) not in differing:
            leads.append(lead)


def conclude(case: Case, everything: Group) -> list[tuple[str, bool]]:
    """Return the causes of a case, and for each whether builds have confirmed it."""
    suspects, observations = case.suspects, case.observations
    if comes_by_itself(observations):
        first = _name_inherent(case)
        drawn = (
            name
            for name in case.evident
            if name in (Cause.RANDOM, Cause.TIME) and name != first and case.evident[0] == first
        )
        others = (name for name in case.evident if name not in _UNVARIED_TOO)
        return [
            (first, True),
            *((name, False) for name in drawn if first in case.evident),
            *((name, name in case.planted) for name in others),
        ]
    proved = only_unsettled(proved_causes(everything, observations), case.evident)
    if needs_several(everything, observations):
        proved = smallest_healing(everything, observations)
        likely = [name for name in suspects if name in proved]
        name = Cause.RACE if case.parallel else (likely or [Cause.RANDOM])[0]
        return [(name, len(proved) == 1 and name in case.evident)]
    if proved:
        names = [*(name for name in suspects if name in proved), *sorted(proved - set(suspects))]
        told = [(name, name in case.evident or is_sure(name, everything, observations)) for name in names]
        return told if any(sure for _, sure in told) or not case.parallel else [(Cause.RACE, False)]
    left = suspects_left(everything, observations)
    # What never differs with nothing varied is hardly random.
    steady = any(not one.varied for one in observations)
    likely = [
        name for name in suspects if name in left or (name in _UNVARIED_TOO and not (steady and name == Cause.RANDOM))
    ]
    return [(next(iter(likely), likeliest(left) or Cause.UNKNOWN), False)]


def let_follow(cases: Mapping[Key, Case], everything: Group) -> None:
    """Explain unknown places by another place in the same output, as digests, sizes and offsets mostly follow from one.

    That place differs without any variation too, or it differs in the same builds and its values point to its cause.
    """
    _let_follow_inherent(cases)
    unexplained = {key: case for key, case in cases.items() if conclude(case, everything)[0][0] == Cause.UNKNOWN}
    if not unexplained:
        return
    told: dict[tuple[str, tuple[bool, ...]], str] = {}
    for key, case in cases.items():
        cause = conclude(case, everything)[0][0]
        if cause in case.suspects and not comes_by_itself(case.observations):
            told.setdefault((key.output, _pattern(case)), cause)
    for key, case in unexplained.items():
        cause = told.get((key.output, _pattern(case)), "")
        if cause in suspects_left(everything, case.observations) and not all(_pattern(case)):
            case.suspicions = [_following(cause), *case.suspicions]


def _pattern(case: Case) -> tuple[bool, ...]:
    return tuple(one.shows for one in case.observations)


def _following(cause: str) -> Suspicion:
    return Suspicion(
        cause, Strength.GUESS, "", "", f"it follows from another place in this output, whose cause is {cause}"
    )


def _let_follow_inherent(cases: Mapping[Key, Case]) -> None:
    leading: dict[str, Suspicion] = {}
    for key, case in cases.items():
        strong = (one for one in case.suspicions if one.strength >= Strength.STRONG and one.cause in _UNVARIED_TOO)
        if comes_by_itself(case.observations) and (first := next(strong, None)):
            leading.setdefault(key.output, first)
    for key, case in cases.items():
        if key.output in leading and not case.evident and comes_by_itself(case.observations):
            case.suspicions = [_following(leading[key.output].cause), *case.suspicions]


def _name_inherent(case: Case) -> str:
    if case.races:
        return Cause.RACE
    inherent = [
        name for name in case.suspects if name in _UNVARIED_TOO and (name != Cause.RACE or case.parallel is not False)
    ]
    return inherent[0] if inherent else Cause.RANDOM
