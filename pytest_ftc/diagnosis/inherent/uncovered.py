"""Causes that something random hides: builds with the remedy that fixes it show what else differs in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.hypotheses import MISS
from pytest_ftc.diagnosis.places import Key, match_places, show_values
from pytest_ftc.diagnosis.trials.bench import Outcome, changes_of
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget
from pytest_ftc.diagnosis.try_remedies import RemedyTrials
from pytest_ftc.model import BuildStatus, Cause, Field, Finding, Place, Remedy, Strength, Suspicion
from pytest_ftc.model.cause import INHERENT

_MOST = 16
"""Places that are told of one file."""
_MOST_CAUSES = 4
"""Causes that are varied alone with a remedy."""
_TOLD = frozenset({Cause.TIME, Cause.SOURCE_MTIME, Cause.TIMEZONE})
Found = Sequence[tuple[Finding, RemedyTarget]]


class _Uncovered(NamedTuple):
    """What a remedy uncovers at a place."""

    key: Key
    place: Place
    suspicion: Suspicion
    remedy: Applied
    of: Finding
    """The finding of what hid it."""
    target: RemedyTarget
    """That of what hid it."""


def add_uncovered(found: Found, cases: Mapping[Key, Case], trials: RemedyTrials) -> list[Finding]:
    """Return the findings that were `found`, and those of causes that remedies of random ones uncover.

    What lines in a random order leave is confirmed where nothing is left of it once that order is fixed.
    """
    fixed = dict(_fixed(found, trials))
    hidden = list(_hidden(found, fixed))
    orders = {key for key, (remedy, _) in fixed.items() if key.field is Field.ORDER and _is_all(key, remedy, trials)}
    findings = [
        replace(finding, confirmed=True) if orders.intersection(cases[target.key].sources) else finding
        for finding, target in found
    ]
    sure = {cause: _confirm(cause, hidden, trials) for cause in _causes(hidden)[:_MOST_CAUSES]}
    told = [(one, _target(one, known=one.key in sure.get(one.suspicion.cause, ()))) for one in hidden]
    # Where the place itself still differs, nothing else speaks for it.
    told = [(one, target) for one, target in told if target.known or one.key != one.target.key]
    remedies = _heal(told, [target for _, target in found], trials)
    findings = [
        replace(finding, remedy=remedies.get(target, finding.remedy))
        for finding, (_, target) in zip(findings, found, strict=True)
    ]
    return [*findings, *(replace(_tell(one, target), remedy=remedies.get(target)) for one, target in told)]


def _heal(
    told: Sequence[tuple[_Uncovered, RemedyTarget]], others: Sequence[RemedyTarget], trials: RemedyTrials
) -> Mapping[RemedyTarget, Remedy]:
    """Return the remedies of what was uncovered, and those that are then proved of what hid it in the same place."""
    if not told:
        return {}
    base = list(dict.fromkeys(one.remedy for one, _ in told))
    then = trials.beside(base)
    remedies = dict(then.run([target for _, target in told], eager=False, beside=others))
    hiders = {one.target: target for one, target in told if one.key == one.target.key}
    healed = (then.courses[target].helpful for target in hiders.values() if target in then.courses)
    if both := list(dict.fromkeys(filter(None, healed))):
        found = trials.beside(both).run(list(hiders), eager=False, beside=others)
        remedies |= {hider: remedy for hider, remedy in found.items() if remedy.proved}
    return remedies


def _fixed(found: Found, trials: RemedyTrials) -> Iterator[tuple[Key, tuple[Applied, Outcome]]]:
    """Yield what was random and has a remedy, with that and what the last builds with it showed.

    It is fixed if its place is equal in them, or still differs by values that tell why.
    """
    for finding, target in found:
        course = trials.courses.get(target)
        if finding.cause not in INHERENT or not finding.confirmed or course is None:
            continue
        proved = course.helpful if finding.remedy and finding.remedy.proved else None
        for applied, outcome in reversed(trials.built):
            own = proved or next((one for one in course.choices if one in applied), None)
            seen = target.key in outcome.equal if proved else bool(outcome.told(target.key))
            if own in applied and own and seen:
                yield target.key, (own, outcome)
                break


def _hidden(found: Found, fixed: Mapping[Key, tuple[Applied, Outcome]]) -> Iterator[_Uncovered]:
    """Yield what still differs in the files of what is `fixed`, and tells a cause that no finding there has."""
    known = {(finding.output, finding.member, finding.cause) for finding, _ in found}
    of = {target.key: (finding, target) for finding, target in found if finding.cause in INHERENT}
    seen = set[tuple[Key, str]]()
    for hider, (remedy, outcome) in fixed.items():
        inside = [key for key in outcome.differing if key[:2] == hider[:2]]
        for key in [hider] if hider in inside else inside[:_MOST]:
            for one in outcome.told(key):
                is_new = one.cause not in INHERENT and (key.output, key.member, one.cause) not in known
                if is_new and (key, one.cause) not in seen:
                    seen.add((key, one.cause))
                    yield _Uncovered(key, outcome.differing[key], one, remedy, *of[hider])


def _is_all(order: Key, remedy: Applied, trials: RemedyTrials) -> bool:
    """Return whether in all builds with its `remedy` the place `order` is equal, and values tell what else differs."""
    outcomes = [outcome for applied, outcome in trials.built if remedy in applied and not outcome.failure]
    return all(
        order in outcome.equal and all(outcome.told(key) for key in outcome.differing if key[:2] == order[:2])
        for outcome in outcomes
    )


def _causes(hidden: Sequence[_Uncovered]) -> list[str]:
    return list(dict.fromkeys(one.suspicion.cause for one in hidden))


def _confirm(cause: str, hidden: Sequence[_Uncovered], trials: RemedyTrials) -> Collection[Key]:
    """Return which of the `hidden` places still tell `cause` in a build with their remedies that varies only it."""
    those = {one.key: one for one in hidden if one.suspicion.cause == cause}
    if trials.rebuilder.left < 2:
        return ()
    changes = changes_of(list(dict.fromkeys(one.remedy for one in those.values())))
    builds = trials.rebuilder.with_changes(changes, only={cause})
    if len(builds) < 2 or any(one.status is not BuildStatus.OK for one in builds):
        return ()
    places = match_places(those, trials.look(builds[0], builds[1]))
    told = {key: trials.suspect(places[key], builds[0], builds[1]) for key in those if key in places}
    return {
        key for key, ones in told.items() if any(one.cause == cause and one.strength >= Strength.STRONG for one in ones)
    }


def _target(one: _Uncovered, *, known: bool) -> RemedyTarget:
    cause = one.suspicion.cause
    return replace(
        one.target,
        key=one.key,
        place=one.place,
        cause=cause,
        known=known,
        alone=True,
        luck=((1.0, MISS),),
        follows=False,
        values=None,
        is_told=cause in _TOLD,
    )


def _tell(one: _Uncovered, target: RemedyTarget) -> Finding:
    suspicion = one.suspicion
    return replace(
        one.of,
        member=one.place.member,
        location=one.place.location,
        cause=str(suspicion.cause),
        confirmed=target.known,
        evidence=show_values(one.place, suspicion.control, suspicion.experiment),
        why=f"{suspicion.why}, once what is random in the same file is fixed",
        given=(),
        remedy=None,
    )
