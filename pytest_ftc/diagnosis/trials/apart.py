"""Remedies that were proved together: each is left out, to credit the one that did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ftc.diagnosis.trials.bench import Bench, Outcome
from pytest_ftc.diagnosis.trials.record import Course, Record
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget

_MOST_PAIRS = 8
_BY_LUCK = 0.05
"""The probability of an agreement by luck from which one does not show that a remedy is needless."""

Proved = Mapping[RemedyTarget, Course]


def tell_apart(record: Record, bench: Bench) -> None:
    """Credit each proved remedy only where its place differs without it, while builds are left.

    Where it does not, another one is credited that was applied in the same builds.
    """
    proved = {target: course for target, course in record.courses.items() if record.is_proved(target)}
    kept = list(dict.fromkeys(course.helpful for course in proved.values() if course.helpful))
    for course in proved.values():
        _settle(course)
    if any(not (course.company or frozenset()) <= set(kept) for course in _doubtful(proved)):
        if not bench.left:
            return
        _note_kept(proved, kept, bench.build(kept), record)
    for _ in range(_MOST_PAIRS):
        suspect = _most_doubtful(_doubtful(proved), kept)
        if suspect is None or not bench.left:
            return
        without = [one for one in kept if one != suspect]
        outcome = bench.build(without)
        if outcome.failure:
            return
        if _note_left_out(proved, suspect, without, outcome):
            kept = without


def _doubtful(proved: Proved) -> list[Course]:
    return [course for target, course in proved.items() if not course.credited and _can_show(target)]


def _can_show(target: RemedyTarget) -> bool:
    return target.agrees_by_luck < _BY_LUCK


def _most_doubtful(courses: Sequence[Course], kept: Sequence[Applied]) -> Applied | None:
    """Return the remedy credited to the fewest of the doubtful places: it is the likeliest to be needless."""
    counts = {one: sum(course.helpful == one for course in courses) for one in kept}
    return min((one for one in kept if counts[one] and len(kept) > 1), key=lambda one: counts[one], default=None)


def _note_kept(proved: Proved, kept: Sequence[Applied], outcome: Outcome, record: Record) -> None:
    """Note what builds with only the proved remedies showed; what differs again was healed by another one."""
    for target, course in proved.items():
        if target.key in outcome.equal:
            _narrow(target, course, kept)
        elif not course.credited and course.helpful:
            record.refute(target, course.helpful)


def _note_left_out(proved: Proved, suspect: Applied, without: Sequence[Applied], outcome: Outcome) -> bool:
    """Note what builds without `suspect` showed; return whether nothing needs it."""
    needless = True
    for target, course in proved.items():
        equal = target.key in outcome.equal
        if not equal or (not _can_show(target) and suspect in (course.company or ())):
            needless = False
        if course.credited or not _can_show(target):
            continue
        if equal:
            _narrow(target, course, without)
        elif course.helpful == suspect:
            course.credited = (suspect,)
    return needless


def _narrow(target: RemedyTarget, course: Course, applied: Sequence[Applied]) -> None:
    """Note that the place was also equal with `applied`."""
    company = course.company or frozenset()
    others = [one for one in applied if one not in company and (one in course.choices or _rewrites(one, target))]
    if others and course.helpful in applied:
        return  # Either may have done it here.
    both = company.intersection(applied)
    course.company = frozenset(applied) if others or not both else both
    if course.helpful not in course.company:
        own = (one for one in course.choices if one in course.company)
        course.helpful = next(own, next(one for one in applied if one in course.company))
    _settle(course)


def _rewrites(remedy: Applied, target: RemedyTarget) -> bool:
    return remedy.rewrites == target.key.output


def _settle(course: Course) -> None:
    if course.company and len(course.company) == 1:
        course.credited = tuple(course.company)
        course.helpful = course.credited[0]
