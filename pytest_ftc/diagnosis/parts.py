"""The parts of a place: what is left of it without the values that are explained, or without those that are random.

A time with an identifier beside it, or a user ID beside a random number, is one place with more than one cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_ftc.comparison.members.span import common_start
from pytest_ftc.diagnosis.canaries.alignment import find_runs
from pytest_ftc.diagnosis.case import Case, Investigation, Span
from pytest_ftc.diagnosis.group_testing import Group, Observation, comes_by_itself
from pytest_ftc.diagnosis.places import Key, offset_of
from pytest_ftc.model import BuildResult, Cause, Field, Place, Strength, Suspicion

_MOST_BYTES = 16 << 10
MOST_WITH_PARTS = 64
"""Places up to which their parts are looked into."""
_MOST_VALUES = 16
"""Values that are left out of one place."""
_TELLING = 4
"""Shortest value, in bytes, that is left out wherever it is."""
_MARGIN = 3
"""Bytes around random ones that may be random and equal by chance."""
_BEFORE, _AFTER = re.compile(rb"[^\s\"'<>,;=()\[\]{}]*\Z"), re.compile(rb"[^\s\"'<>,;=()\[\]{}]*")
_HEX = re.compile(r"((?:[0-9a-f]{2}){2,16})(?: \([0-9]+\))?")
"""The form in which a suspicion shows numbers stored as bytes."""


def open_beside(place: Place, found: Sequence[Suspicion], given: Investigation) -> Case | None:
    """Return the case of what `place` has beside the values that identify a cause; None if nothing.

    `found` is what its values suggest.
    """
    if given.experiment is None or not _may_have_parts(place) or not _strong(found):
        return None
    left, suspicions = _without_values(place, found, given, given.experiment)
    if left is None or _strong(suspicions):
        return None
    return Case(left, suspicions, [Observation(given.everything, True)])


def open_steady(cases: Mapping[Key, Case], given: Investigation) -> None:
    """Give each of `cases` that differ by themselves a case of what changed with the variations alone, if any did."""
    if given.experiment is None or len(cases) > MOST_WITH_PARTS:
        return
    for case in cases.values():
        if (
            case.sources
            or not (case.noise and case.is_noise_known)
            or case.steady
            or Cause.TIME in case.evident
            or not comes_by_itself(case.observations)
            or not _may_have_parts(case.place)
        ):
            continue
        quiet = _without_spans(case.place, case.noise)
        left, suspicions = _without_values(quiet, case.suspicions, given, given.experiment)
        if left is not None and not _strong(suspicions):
            case.steady = Case(left, suspicions, [Observation(given.everything, True)])
            for group, place in case.seen:
                _observe_steady(case, group, place)


def observe_parts(case: Case, group: Group, place: Place | None, given: Investigation, result: BuildResult) -> None:
    """Record whether the parts of `case` show in the `result` of a build that varied `group`.

    `place` is what differs there; None if nothing does.
    """
    case.seen.append((group, place))
    if place and not group and _may_have_parts(place):
        spans = tuple(_spans(place))
        slack = 0 if _is_text(place) else _MARGIN
        case.is_noise_known = not case.noise or all(_is_inside(span, case.noise, slack) for span in spans)
        case.noise, case.steady = _merge((*case.noise, *spans)), None
    _observe_steady(case, group, place)
    if case.beside:
        found = given.suspect(place, given.control, result) if place else ()
        left = _without_values(place, found, given, result)[0] if place else None
        case.beside.observations.append(Observation(group, left is not None))


def _observe_steady(case: Case, group: Group, place: Place | None) -> None:
    if case.steady:
        shows = bool(group) and place is not None and not _is_equal(_without_spans(place, case.noise))
        case.steady.observations.append(Observation(group, shows))


def place_by_cause(case: Case, cause: str, others: Group) -> Place:
    """Return what differs at the place of `case` by `cause`, and not by the `others` that it has too.

    Data of an unknown format is one place, however many causes it has: builds that vary one of them show where its
    bytes begin. If none did, it is the whole place.
    """
    if not others or offset_of(case.place.location) is None or comes_by_itself(case.observations):
        return case.place
    alone = [(len(group), place) for group, place in case.shown_as if cause in group and not others & group]
    return min(alone, key=lambda one: one[0], default=(0, case.place))[1]


def with_parts(cases: Mapping[Key, Case]) -> dict[Key, Case]:
    """Return `cases` and those of their parts, with keys of their own."""
    beside = {_key_of(key, "what is beside"): case.beside for key, case in cases.items() if case.beside}
    return {**with_steady(cases), **beside}


def with_steady(cases: Mapping[Key, Case]) -> dict[Key, Case]:
    """Return `cases`, and what of them changes with the variations alone, with keys of its own.

    What is beside explained values mostly follows from them, as the name of a day does, and is worth no builds.
    """
    return {**cases, **{_key_of(key, "without chance"): case.steady for key, case in cases.items() if case.steady}}


def _key_of(key: Key, part: str) -> Key:
    return key._replace(location=f"{key.location}, {part}")


def _strong(found: Sequence[Suspicion]) -> list[Suspicion]:
    return [one for one in found if one.strength >= Strength.STRONG]


def _may_have_parts(place: Place) -> bool:
    sizes = len(place.control), len(place.experiment)
    return place.field in (Field.CONTENT, Field.HEADER) and min(sizes) > 0 and max(sizes) <= _MOST_BYTES


def _is_equal(place: Place) -> bool:
    return place.control == place.experiment


def _without_values(
    place: Place, found: Sequence[Suspicion], given: Investigation, other: BuildResult
) -> tuple[Place | None, Sequence[Suspicion]]:
    """Return `place` without the values that identify a cause, and what the rest suggests; None if nothing is left."""
    for _ in range(_MOST_VALUES):
        strong = _strong(found)
        less = place
        for one in strong:
            less = _without_value(less, one)
        if _is_equal(less):
            return None, ()
        if not strong or less == place:
            return place, found
        place, found = less, given.suspect(less, given.control, other)
    return None, ()


def _without_value(place: Place, suspicion: Suspicion) -> Place:
    """Return `place` without the value of `suspicion`: where it is at the same position on both sides, or anywhere."""
    for own, theirs in zip(_forms(suspicion.control), _forms(suspicion.experiment), strict=False):
        control, experiment = _without_aligned(place.control, place.experiment, own, theirs)
        if control == place.control and min(len(own), len(theirs)) >= _TELLING:
            control, experiment = control.replace(own, b""), experiment.replace(theirs, b"")
        if control != place.control and experiment != place.experiment:
            return replace(place, control=control, experiment=experiment)
    return place


def _without_aligned(one: bytes, other: bytes, own: bytes, theirs: bytes) -> tuple[bytes, bytes]:
    if not own or len(own) != len(theirs) or len(one) != len(other):
        return one, other
    at = len(one)
    while (at := one.rfind(own, 0, at + len(own) - 1)) >= 0:
        if other.startswith(theirs, at):
            one, other = one[:at] + one[at + len(own) :], other[:at] + other[at + len(own) :]
    return one, other


def _forms(shown: str) -> Iterator[bytes]:
    yield shown.encode("utf-8", "surrogateescape")
    if stored := _HEX.fullmatch(shown):
        yield bytes.fromhex(stored[1])
        yield bytes.fromhex(stored[1])[::-1]


def _spans(place: Place) -> Iterator[Span]:
    """Yield what differs, as positions in the control's file if they are known there, else in its value."""
    base = _base(place)
    is_text = _is_text(place)
    for start, end, _, _ in find_runs(place.control, place.experiment):
        if is_text:
            start, end = _token_around(place.control, start, end)
            yield base + start, base + end
        else:
            yield base + start - _MARGIN, base + end + _MARGIN


def _merge(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return what the `spans` cover, without overlaps."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _is_inside(span: Span, spans: Sequence[Span], slack: int = 0) -> bool:
    """Return whether `span` is inside one of `spans`, except for `slack` bytes at either end."""
    return any(first - slack <= span[0] and span[1] <= last + slack for first, last in spans)


def _is_text(place: Place) -> bool:
    return b"\0" not in place.control + place.experiment


def _base(place: Place) -> int:
    """Return where the control's value begins in its file, if that is known; else 0."""
    begin = offset_of(place.location)
    return 0 if begin is None else begin - common_start(place.control, place.experiment)


def _token_around(text: bytes, start: int, end: int) -> Span:
    """Return where the token begins and ends that holds these bytes: parts of it may be equal by chance."""
    before, after = _BEFORE.search(text[:start]), _AFTER.match(text, end)
    return (before.start() if before else start), (after.end() if after else end)


def _without_spans(place: Place, spans: Sequence[Span]) -> Place:
    """Return `place` without the runs that differ inside `spans`."""
    base = _base(place)
    control, experiment = bytearray(place.control), bytearray(place.experiment)
    for start, end, theirs, their_end in reversed(find_runs(place.control, place.experiment)):
        if _is_inside((base + start, base + end), spans):
            del control[start:end]
            del experiment[theirs:their_end]
    return replace(place, control=bytes(control), experiment=bytes(experiment))
