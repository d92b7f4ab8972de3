"""The commands that the differing values of all places passed, by the trace of one build."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.culprits.commands import find_source
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles, find_needles
from pytest_ftc.diagnosis.culprits.sought import Sought
from pytest_ftc.diagnosis.culprits.trail import Trail, follow
from pytest_ftc.diagnosis.places import Key, Places, match_places
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, Strength, Trace

_COMPUTED = re.compile(r"ELF (build id|section \.gnu_debuglink)")
"""Places that hold a digest of what a linker was given, also of what is stripped later."""

Track = Callable[[Key, Case, str], Trail]
"""Returns the commands that the value of a place with a cause passed."""


def track(cases: Mapping[Key, Case], given: Investigation, traced: BuildResult | None) -> Track:
    """Return what follows values in the build `traced`; it finds nothing if that has no trace."""
    if traced is None or traced.trace is None:
        return lambda _key, _case, _cause: Trail()
    return Tracker(cases, given, traced, traced.trace).follow


class Tracker:
    """Follows values in the build `traced`, which has no variation and yet its own times and random values."""

    def __init__(self, cases: Mapping[Key, Case], given: Investigation, traced: BuildResult, trace: Trace) -> None:
        self._given = given
        self._cases = cases
        self._traced = traced
        self._flow = Flow(trace)
        self._now: Places = {}
        self._names: Mapping[str, str] = {}
        """Those that outputs have in this build, where they differ from the control's."""
        if traced.status is BuildStatus.OK:
            self._names = given.renamed(given.control, traced)
            self._now = match_places(cases, given.look(given.control, traced))
        self._beside: dict[tuple[str, str, str], list[tuple[Place, Needles]]] = {}
        for key, case in cases.items():
            for one in case.suspicions:
                if one.strength >= Strength.STRONG and one.control:
                    where = key.output, case.place.member, one.cause
                    self._beside.setdefault(where, []).append((case.place, self._needles(key, case, one.cause)))

    def follow(self, key: Key, case: Case, cause: str) -> Trail:
        """Return the commands that the value of a place with this `cause` passed."""
        path = f"{self._given.tree}/{self._names.get(key.output, key.output)}"
        needles = self._needles(key, case, cause)
        if _COMPUTED.match(case.place.location) and cause == Cause.BUILD_PATH and not needles.known:
            # Nobody wrote this value, but the path that it is computed of.
            needles = Needles(((self._given.tree,),))
        trail = self._follow(path, case.place, cause, needles)
        is_strong = any(one.cause == cause and one.strength >= Strength.STRONG for one in case.suspicions)
        # What an archiver writes of a file, as its time, follows from no value beside it.
        is_led = case.place.field not in (Field.MODE, Field.MTIME, Field.OWNER) and not (is_strong and needles.tiers)
        leading = self._beside.get((key.output, case.place.member, cause), ()) if is_led else ()
        for place, others in leading:
            # What follows from another value was brought in where that was.
            further = self._follow(path, place, cause, others)
            if further.program and (trail.program is None or trail.program in further.chain):
                return further
        return trail

    def _follow(self, path: str, place: Place, cause: str, needles: Needles) -> Trail:
        sought = Sought(place=place, cause=cause, needles=needles)
        trail = follow(self._flow, path, sought)
        if len(trail.chain) > 1 or not place.member or place.field in (Field.MODE, Field.OWNER):
            # Modes and owners are of the entry, not of the content that was written before.
            return trail
        texts = [text.encode("latin-1").decode("utf-8", "surrogateescape") for tier in needles.tiers for text in tier]
        source = find_source(self._flow, path, place, texts)
        if source == path:
            return trail
        before = follow(self._flow, source, sought)
        rest = tuple(one for one in trail.chain if one not in before.chain)
        return Trail(before.program, (*before.chain, *rest)) if before.chain else trail

    def _needles(self, key: Key, case: Case, cause: str) -> Needles:
        """Return what to search for: the value in the traced build, which is that of the control if they are equal.

        A part of a place that has no value of its own is not told from the rest: then all that differs is searched.
        """
        now, whole = self._now.get(key), self._cases[key].place
        known = next((one.control for one in case.suspicions if one.cause == cause), "")
        is_part = case.place is not whole
        if now is None:
            return find_needles(whole.control, whole.experiment, known, whole.field, entire=is_part)
        found = self._given.suspect(now, self._given.control, self._traced)
        # The time zone is that of the control here, but it shows in the same value as the time, which is another one.
        alike = {one.cause for one in case.suspicions if one.control and one.control == known}
        value = next((one.experiment for one in found if one.cause in (alike or {cause})), "")
        if not value and known.encode("utf-8", "surrogateescape") in now.experiment:
            value = known
        return find_needles(now.experiment, now.control, value, now.field, entire=is_part)
