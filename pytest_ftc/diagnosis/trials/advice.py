"""The remedy that a finding names, and what it says of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.places import may_move
from pytest_ftc.diagnosis.trials.record import Failures, Record
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget
from pytest_ftc.model import Cause, Remedy, RemedyTemplate

_ZONE_OF_TIME = " time zone"
"""The end of the location of a zone."""


def conclude(record: Record, target: RemedyTarget) -> Remedy:
    """Return the best remedy for `target`: a proved one, else one that helps in part, else advice."""
    course, failures = record.courses[target], record.failures
    if record.is_proved(target) and course.helpful:
        together = (course.company or frozenset()) - {course.helpful} if not course.credited else frozenset()
        alone = not _may_be_healed_by_its_time(record, target)
        return _remedy(course.helpful, proved=alone, tried=alone, together=sorted(one.summary for one in together))
    failed = [one for one in course.choices if failures.holds(target.key, one)]
    likely = None if course.trial.different else course.helpful
    helping = likely or _helping_in_part(record, target) or _perhaps_helping(record, target, failed)
    chosen = helping or next(_advice(record, target, failed), None) or _least_bad(record, target)
    objections = {one: _objection(failures, target, one) for one in (*failed, chosen)}
    remedy = _remedy(
        chosen,
        proved=False,
        tried=chosen in failed or bool(objections[chosen]),
        also_tried=[one.summary for one, why in objections.items() if not why and one != chosen],
        rejected=[f"{one.summary}: {why}" for one, why in objections.items() if why],
    )
    return replace(remedy, equal_pairs=course.trial.equal) if likely else remedy


def _least_bad(record: Record, target: RemedyTarget) -> Applied:
    """Return what is named where nothing may help: rather what was in vain than what broke something.

    Last of all another form of that, which nobody has tried.
    """
    choices, failures = record.courses[target].choices, record.failures
    spoiled = _spoiled(failures, target)
    harmless = (one for one in choices if spoiled.isdisjoint(name for name, _ in one.settings))
    tried = (one for one in choices if _objection(failures, target, one))
    return next(harmless, None) or next(tried, None) or next(iter(choices))


def _may_be_healed_by_its_time(record: Record, target: RemedyTarget) -> bool:
    """Return whether what fixed the time of the place, in the same builds, may have fixed its zone or words too."""
    course = record.courses[target]
    if course.credited or target.cause not in (Cause.TIMEZONE, Cause.LOCALES):
        return False
    times = (own.helpful for one, own in record.courses.items() if one.cause == Cause.TIME and _is_at(one, target))
    return any(one and one != course.helpful and one in (course.company or ()) for one in times)


def _is_at(time: RemedyTarget, target: RemedyTarget) -> bool:
    """Return whether `time` is at the place of `target`; the zone of a time may be a place of its own."""
    return time.key == target.key or time.key == target.key._replace(
        location=target.key.location.removesuffix(_ZONE_OF_TIME)
    )


def _helping_in_part(record: Record, target: RemedyTarget) -> Applied | None:
    """Return what removed the values of the cause, here or, if that is unknown, elsewhere in the same output.

    Offsets show no values; what heals another place of the cause has removed them from what they point to.
    """
    own, is_offset = record.courses[target], target.place.note == FOLLOWS
    if own.partly or own.stays:
        return own.partly
    alike = (
        course.partly or (course.helpful if is_offset else None)
        for other, course in (record.earlier | record.courses).items()
        if (other.key.output, other.cause) == (target.key.output, target.cause)
    )
    return next((one for one in alike if one in own.choices), None)


def _perhaps_helping(record: Record, target: RemedyTarget, failed: Sequence[Applied]) -> Applied | None:
    """Return what may have helped although the place still differs: it has other causes, and no value tells."""
    others = any(one.key == target.key and one.cause != target.cause for one in record.earlier | record.courses)
    course = record.courses[target]
    # The one for the fewest causes is made for this one.
    ranked = sorted(failed, key=lambda one: len(course.choices[one].causes))
    fitting = (one for one in (course.unclear, *ranked) if one and not _objection(record.failures, target, one))
    return next(fitting, None) if others and target.values is None and target.cause != Cause.TIME else None


def _advice(record: Record, target: RemedyTarget, failed: Sequence[Applied]) -> Iterator[Applied]:
    """Yield what was not tried; advice that follows from a failed trial only where one shows what it says.

    Advice for the command that wrote it comes before a general setting that nobody tried: the command may ignore it.
    """
    course = record.courses[target]
    untold = target.cause == Cause.TIME and not target.is_told
    shown = course.stays or (untold and not _may_have_moved(record, target))
    own = {one: template for one, template in course.choices.items() if template.tools and not template.can_be_tried}
    first = own if _is_general(next(iter(course.choices.values()))) else {}
    spoiled = _spoiled(record.failures, target)
    in_vain = [one for one in failed if not _objection(record.failures, target, one)]
    for one, template in {**first, **course.choices}.items():
        if not spoiled.isdisjoint(name for name, _ in one.settings):
            continue
        follows = shown and any(template.once_failed in each.summary for each in in_vain)
        if one not in failed and (follows or not template.once_failed):
            yield one


def _spoiled(failures: Failures, target: RemedyTarget) -> set[str]:
    """Return the variables of what broke something in this output, for whichever place it was tried.

    Another form of a setting that broke something may break as much.
    """
    broke = [one for (output, one), changed in failures.why.items() if changed and output == target.key.output]
    return {name for one in (*broke, *failures.unfit) for name, _ in one.settings}


def _may_have_moved(record: Record, target: RemedyTarget) -> bool:
    """Return whether it may differ in builds with a remedy for other data, of which it tells or which moved it."""
    known = record.earlier | record.courses
    return target.place.note == FOLLOWS or may_move(target.key, (other.key for other in known))


def _is_general(template: RemedyTemplate) -> bool:
    return template.can_be_tried and not (template.tools or template.programs or template.formats)


def _objection(failures: Failures, target: RemedyTarget, one: Applied) -> str:
    if one in failures.unfit:
        return failures.unfit[one]
    changed = failures.why.get((target.key.output, one))
    return f"it also changes what never differed: {changed}" if changed else ""


def _remedy(
    chosen: Applied,
    *,
    proved: bool,
    tried: bool,
    also_tried: Sequence[str] = (),
    rejected: Sequence[str] = (),
    together: Sequence[str] = (),
) -> Remedy:
    return Remedy(
        summary=chosen.summary,
        settings=dict(chosen.settings),
        before=chosen.before,
        after=chosen.after,
        proved=proved,
        tried=tried,
        also_tried=tuple(dict.fromkeys(also_tried)),
        rejected=tuple(dict.fromkeys(rejected)),
        together_with=tuple(together),
        source=chosen.source,
    )
