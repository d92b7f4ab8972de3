"""Building with subsets of the variations until the cause of each difference is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.comparison.members.span import common_end, common_start
from pytest_ftc.diagnosis.case import UNVARIED_TOO, Case, Investigation, places_in
from pytest_ftc.diagnosis.conclude import conclude
from pytest_ftc.diagnosis.following.computed import Computed, find_computed
from pytest_ftc.diagnosis.following.conclude import find_moved_with, note_sources
from pytest_ftc.diagnosis.group_testing import Group, Observation, comes_by_itself, share, with_entailed, without
from pytest_ftc.diagnosis.inherent.clock import check_clock
from pytest_ftc.diagnosis.inherent.pairs import FOR_REMEDIES
from pytest_ftc.diagnosis.inherent.races import check_races
from pytest_ftc.diagnosis.inherent.turns import find_zones
from pytest_ftc.diagnosis.next_builds import MOST_REPEATS, groups_beside_none, is_settled, next_groups
from pytest_ftc.diagnosis.parts import MOST_WITH_PARTS, observe_parts, open_steady, with_steady
from pytest_ftc.diagnosis.places import Key, find_shifted, is_again, match_places, may_follow, showing
from pytest_ftc.diagnosis.posterior import SURE, Question, may_agree_by_luck, weigh
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Place, Strength, Suspicion

_AT_ONCE = 2
_FEW_BYTES = 2
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]")
_FOR_ONE_REMEDY = 2
"""Builds reserved for testing remedies before all causes are known."""


def confirm(cases: dict[Key, Case], given: Investigation) -> BuildResult | None:
    """Rebuild until the cause of each case is known; return the first build, which is traced."""
    rebuilder, everything = given.rebuilder, given.everything
    if rebuilder is None:
        return None
    _observe_experiments(cases, given)
    traced: BuildResult | None = None
    nothing: Group = frozenset()
    groups = [nothing, *_proposals(cases, everything, 1, groups_beside_none)]
    first = True
    while groups and rebuilder.left:
        results = rebuilder.varying(groups[: rebuilder.left], trace=first)
        traced = results[0] if first else traced
        first = False
        for group, result in zip(groups, results, strict=False):
            _observe(cases, given, with_entailed(group, everything), result)
        open_steady(cases, given)
        spare = rebuilder.left - (FOR_REMEDIES if _is_any_known(cases, everything) else _FOR_ONE_REMEDY)
        groups = _proposals(with_steady(cases), everything, min(_AT_ONCE, spare)) if spare > 0 else []
    # What is inherent is told apart by builds that the remedies of known causes do not need.
    reserve = FOR_REMEDIES if _is_any_known(cases, everything) else 0
    if traced:
        check_races(cases, given, rebuilder, traced, reserve)
    if Cause.TIME in everything and rebuilder.left >= 2 + reserve:
        check_clock(cases, given, rebuilder)
    find_zones(cases, given, rebuilder, min(reserve, _FOR_ONE_REMEDY))
    return traced


def resume(cases: dict[Key, Case], given: Investigation) -> bool:
    """Spend what remedies have left of the builds on the cases that are still open; return whether there were any."""
    rebuilder, everything = given.rebuilder, given.everything
    before = _count_observations(cases)
    while rebuilder and (most := min(_AT_ONCE, rebuilder.left)):
        groups = _proposals(with_steady(cases), everything, most)
        if not groups:
            break
        for group, result in zip(groups, rebuilder.varying(groups), strict=False):
            _observe(cases, given, with_entailed(group, everything), result)
        open_steady(cases, given)
    if rebuilder and Cause.TIME in everything:
        check_clock(cases, given, rebuilder, reserve=0)
    if rebuilder:
        find_zones(cases, given, rebuilder, reserve=0)
    return _count_observations(cases) > before


def _count_observations(cases: Mapping[Key, Case]) -> int:
    return sum(len(each.observations) for case in cases.values() for each in (case, *case.parts))


def still_open(cases: Mapping[Key, Case], everything: Group) -> frozenset[Key]:
    """Return the cases of which more builds would tell more."""
    computed, presumed = find_computed(cases, everything), _presume(cases, everything)
    leading = {key: case for key, case in _leading(cases).items() if key not in computed and key not in presumed}
    asking = frozenset(_ask_about_followers(cases, computed, presumed, everything))
    return asking | frozenset(
        key
        for key, case in leading.items()
        if _proposals({key: case}, everything, 1) and not _is_known(case, everything)
    )


def _proposals(
    cases: Mapping[Key, Case],
    everything: Group,
    most: int,
    ask: Callable[[Question, Collection[str]], Sequence[Group]] = next_groups,
) -> list[Group]:
    computed, presumed = find_computed(cases, everything), _presume(cases, everything)
    open_cases = {key: case for key, case in _leading(cases).items() if key not in computed and key not in presumed}
    asked = {key: ask(case.ask(everything), case.evident) for key, case in open_cases.items()}
    groups = {key: [*asked[key], *_for_their_values(case, everything)] for key, case in open_cases.items()}
    # What most likely follows from others is asked about when the causes of those are known.
    leading = {key: groups[key] for key, case in open_cases.items() if case.place.note != FOLLOWS}
    if any(leading.values()):
        return share(leading, most)
    if any(groups.values()):
        return share(groups, most)
    return share(_ask_about_followers(cases, computed, presumed, everything), most)


def _leading(cases: Mapping[Key, Case]) -> dict[Key, Case]:
    """Return the cases of which nothing is known to say that they follow from others."""
    moved = find_moved_with(cases)
    return {key: case for key, case in cases.items() if not case.sources and key not in moved}


def _presume(cases: Mapping[Key, Case], everything: Group) -> dict[Key, Group]:
    """Return the cases that show in the same builds as places with certain causes, with these causes.

    Such a place most likely follows from one of them, if it is in the same member.
    """
    known: dict[tuple[str, tuple[bool, ...]], dict[Key, frozenset[str]]] = {}
    for key, case in cases.items():
        if case.evident and is_settled(case.ask(everything), case.evident):
            known.setdefault((key.output, case.pattern), {})[key] = frozenset(case.evident)
    presumed = {}
    for key, case in _leading(cases).items():
        if not (case.evident or all(case.pattern) or case.is_name):
            alike = known.get((key.output, case.pattern), {})
            beside = ((other, names) for other, names in alike.items() if other.member == key.member)
            if causes := [names for other, names in beside if may_follow(key, other)]:
                presumed[key] = frozenset[str]().union(*causes)
    return presumed


def _ask_about_followers(
    cases: Mapping[Key, Case], computed: Mapping[Key, Computed], presumed: Mapping[Key, Group], everything: Group
) -> dict[Key, Sequence[Group]]:
    """Return for what seems to follow from others what to vary to show whether it does, and from which."""
    # It agrees by luck least likely where builds differ in whether it is to show.
    asked: dict[Key, Sequence[Group]] = {
        key: [one.asks, everything - one.asks] for key, one in computed.items() if one.asks
    }
    for key, causes in presumed.items():
        # Without one of several causes, the places that have it differ from those that have another.
        left_out = frozenset(sorted(causes)[:1]) if len(causes) > 1 else causes
        group = without(everything, left_out)
        is_told = cases[key].place.note == FOLLOWS or key in computed
        times = [one.varied for one in cases[key].observations].count(group)
        if not is_told and (not times or (times < MOST_REPEATS and _may_be_drawn(cases[key]))):
            asked[key] = [group]
    return asked


def _may_be_drawn(case: Case) -> bool:
    """Return whether a random value in text as short as this may well show in just these builds."""
    one, other = case.place.control, case.place.experiment
    alike = common_start(one, other) + common_end(one, other)
    is_short = max(len(one), len(other)) - alike <= _FEW_BYTES
    return is_short and _NO_TEXT.search(one + other) is None and may_agree_by_luck(case.pattern)


def _for_their_values(case: Case, everything: Group) -> Iterator[Group]:
    if comes_by_itself(case.observations):
        # Other causes of an inherent difference are known only by their values.
        done = {one.varied for one in case.observations}
        groups = (with_entailed(frozenset({name}), everything) for name in case.evident if name not in UNVARIED_TOO)
        yield from (group for group in groups if group not in done)


def _is_any_known(cases: Mapping[Key, Case], everything: Group) -> bool:
    return any(_is_known(case, everything) for case in cases.values())


def _is_known(case: Case, everything: Group) -> bool:
    return any(confirmed for _, confirmed in conclude(case, everything))


def _observe_experiments(cases: Mapping[Key, Case], given: Investigation) -> None:
    """Record for all `cases` whether they show in the other experiments, which are already built."""
    for result in given.experiments:
        if result.status is not BuildStatus.OK:
            continue
        places = given.look(given.control, result)
        differing, shown = match_places(cases, places), showing(places_in(cases), places)
        # Other values may move a place, so that it matches no known key.
        moved = {key.output for key in differing if key not in cases}
        for key, case in cases.items():
            if key in shown or key.output not in moved:
                again = is_again(case.place, differing.get(key))
                case.experiments.append(Observation(given.everything, key in shown, again, fresh=True))


def _observe(cases: dict[Key, Case], given: Investigation, group: Group, result: BuildResult) -> None:
    """Record for all `cases` whether they show in `result`; new places in a build with no variation become cases."""
    if result.status is not BuildStatus.OK:
        return
    places = given.look(given.control, result)
    differing, shown = match_places(cases, places), showing(places_in(cases), places)
    shifted = {(key[:2], key.field) for key in shown if key not in differing}
    unknown = [key for key in differing if key not in cases]
    few = len(cases) <= MOST_WITH_PARTS
    for key, case in cases.items():
        case.observations.append(Observation(group, key in shown, is_again(case.place, differing.get(key))))
        # Values are kept only where places are few.
        is_shown = few and key in shown
        if is_shown and (place := differing.get(key) or find_shifted(key, differing, cases)):
            case.shown_as.append((group, place))
        if few and (key in differing or key not in shown):
            observe_parts(case, group, differing.get(key), given, result)
        if key in differing:
            case.planted.update(one.cause for one in case.suspicions if _is_planted(one, group, differing[key]))
        if key in differing and case.evident and group.isdisjoint(case.evident):
            _suspect_anew(case, given.suspect(differing[key], given.control, result), group or UNVARIED_TOO)
        if key in differing and len(group) == 1 and group & set(case.evident):
            found = given.suspect(differing[key], given.control, result)
            case.planted.update(one.cause for one in found if one.cause in group and _speaks(one))
    new = [key for key in unknown if not group and (key[:2], key.field) not in shifted]
    for key in new:
        found = given.suspect(differing[key], given.control, result)
        drawn = [one for one in found if one.cause in UNVARIED_TOO]
        cases[key] = Case(differing[key], drawn, [Observation(group, True)])
    if new:
        note_sources(cases, given.twins)


def _suspect_anew(case: Case, found: Sequence[Suspicion], group: Collection[str]) -> None:
    """Suspect what the values of a build tell of the causes of `group`, none of the evident ones being varied in it.

    A date tells of the zone that it depends on where the clock is not varied, and a measured duration that was the same
    twice, by luck, differs where nothing is.
    """
    known = {one.cause: one.strength for one in case.suspicions}
    new = {one.cause: one for one in found if one.cause in group and one.strength > known.get(one.cause, 0)}
    case.suspicions = [*(one for one in case.suspicions if one.cause not in new), *new.values()]


def _is_planted(suspicion: Suspicion, group: Group, place: Place) -> bool:
    value = suspicion.experiment.encode("utf-8", "surrogateescape")
    found = suspicion.cause in group and len(group) == 1 and bool(value) and value in place.experiment
    return found and _speaks(suspicion)


def _speaks(suspicion: Suspicion) -> bool:
    """Return whether its values are unlikely to match by chance."""
    return suspicion.strength >= Strength.STRONG and all(weight * (1 - SURE) >= 1 for _, weight in weigh([suspicion]))
