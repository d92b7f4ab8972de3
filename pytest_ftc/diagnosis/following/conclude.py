"""Concluding about places that only tell of others, such as names that hold a digest: they follow from these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ftc.comparison.members.twins import Twin
from pytest_ftc.diagnosis.case import Case, places_in
from pytest_ftc.diagnosis.conclude import conclude, is_within
from pytest_ftc.diagnosis.following.computed import find_computed
from pytest_ftc.diagnosis.following.sources import (
    find_copies,
    find_displaced,
    find_followers,
    find_named_after,
    find_offsets,
    find_origins,
    find_recomputed,
    is_placed,
)
from pytest_ftc.diagnosis.group_testing import Group, comes_by_itself
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Field, Place, Strength, Suspicion
from pytest_ftc.model.cause import GUESSES


def note_sources(cases: Mapping[Key, Case], twins: Sequence[tuple[str, Twin]]) -> None:
    """Note for places whose values tell of other places which these are; `twins` are contents that differ."""
    places = places_in(cases)
    told = find_followers(places, twins)
    followers = {**find_recomputed(places), **find_copies(places, twins), **told}
    for key in followers:
        sources = find_origins(key, followers)
        cases[key].sources = [source for source in cases if source in sources]
        cases[key].beside = cases[key].steady = None


def suspect_names(cases: Mapping[Key, Case]) -> None:
    """Suspect names with a random word to have the causes of what they name."""
    for key, inside in find_named_after(_open_places(cases)).items():
        causes = dict.fromkeys(cause for other in inside for cause in cases[other].evident)
        if not cases[key].evident:
            cases[key].suspicions = [*cases[key].suspicions, *map(_computed, causes)]


def _computed(cause: str) -> Suspicion:
    return Suspicion(cause, Strength.WEAK, "", "", "it may be computed from what it names")


def note_late_sources(cases: Mapping[Key, Case], everything: Group) -> None:
    """Note for names, offsets and digests that differed in exactly the builds in which what they are of did.

    Names with a random word are of what they name; places that hold offsets are of all others of their file.
    """
    for case in cases.values():
        # Builds since then may have shown something else.
        case.sources = () if case.is_computed else case.sources
        case.is_computed = False
    open_places = _open_places(cases)
    offsets = find_offsets(open_places)
    for key, inside in {**find_named_after(open_places), **offsets}.items():
        if not cases[key].evident and _is_always_with(cases[key], [cases[other] for other in inside]):
            cases[key].sources = inside
    for key, inside in offsets.items():
        may_lead = comes_by_itself(cases[key].observations) or is_placed(cases[key].place, key)
        if leading := _find_leading(cases[key], inside, cases) if may_lead else []:
            rest = (other for other in inside if other not in leading)
            cases[key].sources, cases[key].is_computed = [*leading, *rest], True
    for key, computed in find_computed(cases, everything).items():
        if not computed.asks:
            cases[key].sources, cases[key].is_computed = computed.sources, True
    for key, order in find_moved_with(cases).items():
        cases[key].sources, cases[key].is_computed = [order], True
    chains = {key: case.sources for key, case in cases.items() if case.sources}
    for key in chains:
        origins = find_origins(key, chains)
        # Those that differ just when it does come first: they alone explain it.
        cases[key].sources = sorted(
            origins, key=lambda one: (cases[one].pattern != cases[key].pattern, not cases[one].evident)
        )


def find_moved_with(cases: Mapping[Key, Case]) -> Mapping[Key, Key]:
    """Return for each piece of a text that so far differs only with the order of its lines the place of that order.

    Which pieces are left depends on the order.  One that both sides have may have a value of its own; it has none if it
    differs only sometimes, and the order of lines always.
    """
    displaced = find_displaced(_open_places(cases)).items()
    return {key: order for key, order in displaced if _moves_with(cases[key], cases[order])}


def _moves_with(case: Case, order: Case) -> bool:
    own, theirs = _unvaried_clock(case), _unvaried_clock(order)
    # A place that was first seen in a later build has fewer observations.
    theirs = theirs[len(theirs) - len(own) :]
    if case.evident or [group for group, _ in own] != [group for group, _ in theirs]:
        return False
    if not case.place.is_one_sided and not (_is_sometimes(own) and not _is_sometimes(theirs)):
        return False
    return is_within(tuple(shows for _, shows in own), tuple(shows for _, shows in theirs))


def _unvaried_clock(case: Case) -> list[tuple[Group, bool]]:
    """Return which builds show it, of those whose clock runs as ever."""
    return [(one.varied, one.shows) for one in case.observations if one.lead is None and not one.stopped]


def _is_sometimes(seen: Sequence[tuple[Group, bool]]) -> bool:
    """Return whether it differs in a build that varies no more than one in which it does not."""
    showing = {group for group, shows in seen if shows}
    return any(one <= group for group, shows in seen if not shows for one in showing)


def _open_places(cases: Mapping[Key, Case]) -> Mapping[Key, Place]:
    """Return the places that follow from no other so far."""
    return {key: case.place for key, case in cases.items() if not case.sources}


def _is_always_with(case: Case, others: Sequence[Case]) -> bool:
    """Return whether it differed in exactly the builds in which any of the `others` did.

    A build that varies all, or nothing, says nothing of what makes it differ.
    """
    seen = [each.observations for each in (case, *others)]
    if len(set(map(len, seen))) != 1:
        return False
    together = [any(one.shows for one in row) for row in zip(*seen[1:], strict=True)]
    first, *later = case.observations
    alone = any(one.shows and one.varied and one.varied != first.varied for one in later)
    return alone and not all(together) and [one.shows for one in case.observations] == together


def _find_leading(case: Case, inside: Sequence[Key], cases: Mapping[Key, Case]) -> list[Key]:
    """Return the places `inside` its file of which one differs whenever `case` does.

    As it is computed from the file, it differs for them, whatever else it follows from.
    """
    if case.evident:
        return []
    leading = [key for key in inside if is_within(case.pattern, cases[key].pattern)]
    if not leading:
        # Strings may change places, so that each differs at its own only sometimes.
        several = [key for key in inside if comes_by_itself(cases[key].observations)]
        patterns = [cases[key].pattern for key in several if len(cases[key].pattern) == len(case.pattern)]
        leading = several if patterns and is_within(case.pattern, tuple(map(any, zip(*patterns, strict=True)))) else []
    return sorted(leading, key=lambda key: not cases[key].suspicions)


def conclude_all(cases: Mapping[Key, Case], everything: Group) -> list[tuple[Key, Case, tuple[str, bool]]]:
    """Return the causes of all `cases`, each with the case that has it and whether builds have confirmed it.

    A place that follows from others has the cause of the first.
    """
    causes_of = {key: list(_causes(case, everything)) for key, case in cases.items() if not case.sources}
    known = {key: [cause for _, cause in causes] for key, causes in causes_of.items()}
    found = [(key, case, cause) for key, causes in causes_of.items() for case, cause in causes]
    for key, case in cases.items():
        if case.sources:
            cause, confirmed = known[case.sources[0]][0]
            # A piece that showed only in some of the builds in which its order did may have another cause.
            less = case.place.is_one_sided and _is_less_than(case, cases[case.sources[0]])
            confirmed = confirmed and not (less and not comes_by_itself(case.observations))
            # A position may be one of its own, as that of a point of a random plot.
            confirmed = confirmed and (not is_placed(case.place, key) or (cause, True) in conclude(case, everything))
            causes = {source: [name for name, _ in known[source]] for source in case.sources}
            case.suspicions = [Suspicion(cause, Strength.WEAK, "", "", _tell(causes, key)), *case.suspicions]
            found.append((key, case, (cause, confirmed)))
    return found


def _is_less_than(case: Case, source: Case) -> bool:
    return source.place.field is Field.ORDER and case.pattern != source.pattern


def _causes(case: Case, everything: Group) -> Iterator[tuple[Case, tuple[str, bool]]]:
    """Yield each cause of `case` and those of its parts, with the case that has it.

    What builds have not confirmed of a part is told only where the time hides it, since nothing else tells it then.
    """
    told = dict(conclude(case, everything))
    found = {
        name: (part, (name, sure))
        for part in case.parts
        for name, sure in conclude(part, everything)
        if sure or (part is case.hidden and name not in GUESSES)
    }
    confirmed = {name for name, (_, (_, sure)) in found.items() if sure}
    for name, sure in told.items():
        yield found[name] if name in confirmed and not sure else (case, (name, sure))
    yield from (one for name, one in found.items() if name not in told)


def _tell(causes: Mapping[Key, Sequence[str]], own: Key) -> str:
    """Return what the place `own` follows from: one place for each of their `causes`; those in its file by location."""
    first: dict[str, Key] = {}
    for source, names in causes.items():
        for name in names:
            first.setdefault(name, source)
    inside: dict[str, list[str]] = {}
    for key in dict.fromkeys(first.values()):
        is_beside = key[:2] == own[:2] and own.field is not Field.NAME
        name = "" if is_beside else "/".join(filter(None, key[:2]))
        inside.setdefault(name, []).append(key.location)
    told = (", ".join(filter(None, (name, _join(places)))) for name, places in inside.items())
    return f"it follows from {' and '.join(told)}"


def _join(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
