"""The clock that a pair of times is from: that of the build, the real one, or that of the sources."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.diagnosis.canaries.planted import Planted, Window
from pytest_ftc.diagnosis.canaries.timestamps.text import DAY, Stamp
from pytest_ftc.model import Cause, Strength

BY_ITS_CLOCK = "each time lies between the start and end of its build"
"""The reason for times by the clock of the build, which may be varied, and not by the real one."""
_SLACK = 2.0
"""Seconds by which a time may be outside a window: zip stores steps of two seconds, rounded down or up."""
_LONG = 1800.0
"""Seconds.  Any time of day may be within such a long build."""
_APART = 2.1
"""Fewest seconds between the real starts of compared builds: see verify()."""

Verdict = tuple[str, Strength, str]
"""Cause, strength and reason."""

_LOCAL = (Cause.TIMEZONE, Strength.STRONG, "each time is written in the time zone of its build")


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges pairs of times by the windows of both builds."""

    control: Planted
    experiment: Planted

    def judge(self, one: Stamp, other: Stamp) -> list[Verdict]:
        """Return the causes that explain why the control has `one` and the other build `other`."""
        unlike = max(one.precision, other.precision) > 32 * min(one.precision, other.precision)
        if (one.cycle != other.cycle or unlike) and {one.precision, other.precision} != {1.0, 60.0}:
            return []
        for local in self._readings(one, other):
            a = one.seconds - (self.control.utc_offset if local and one.zone is None else 0)
            b = other.seconds - (self.experiment.utc_offset if local and other.zone is None else 0)
            found = self._explain(one, a, other, b)
            zones = self._zones_differ(one, other, local)
            if zones and _same(a, b, one):
                return [_LOCAL]
            if found:
                return [found, _LOCAL] if zones else [found]
        return self._differ_as_clocks(one, other) or self._differ_as_dates(one, other)

    def _readings(self, one: Stamp, other: Stamp) -> tuple[bool, ...]:
        """Return whether to read them as UTC, as local time, or one as each."""
        naive = one.zone is None or other.zone is None
        return (False, True) if naive and (self.control.utc_offset or self.experiment.utc_offset) else (False,)

    def _zones_differ(self, one: Stamp, other: Stamp, local: bool) -> bool:
        if one.zone is not None and other.zone is not None:
            return one.zone != other.zone
        return local and self.control.utc_offset != self.experiment.utc_offset

    def may_hide_zone(self, one: Stamp, other: Stamp) -> bool:
        """Return whether both are dates without a zone, which may be that of each build: it shows near midnight."""
        is_coarse = None is one.zone is other.zone and min(one.precision, other.precision) >= DAY
        return is_coarse and self.control.utc_offset != self.experiment.utc_offset

    def _explain(self, one: Stamp, a: float, other: Stamp, b: float) -> Verdict | None:
        strength = _weight(one, self.control.clock)
        if _within(a, one, self.control.clock) and _within(b, other, self.experiment.clock):
            return Cause.TIME, strength, BY_ITS_CLOCK
        if (
            abs(self.control.real.start - self.experiment.real.start) >= _APART
            and _within(a, one, self.control.real)
            and _within(b, other, self.experiment.real)
        ):
            return Cause.TIME, strength, "each time lies between the start and end of its build by the real clock"
        if self._follow_sources(one, a, other, b):
            strength = Strength.WEAK if one.is_bare_year or one.cycle else Strength.STRONG
            return Cause.SOURCE_MTIME, strength, "the times differ by as much as those of the source files"
        return None

    def _follow_sources(self, one: Stamp, a: float, other: Stamp, b: float) -> bool:
        shift = self.experiment.source_mtime_shift - self.control.source_mtime_shift
        known = self.control.source_times, self.experiment.source_times
        return (
            shift != 0
            # Times that would be before 1980 are moved in the other direction.
            and min(_distance(b - a, shift, one.cycle), _distance(b - a, -shift, one.cycle)) <= _tolerance(one)
            and (known[0] is None or _within(a, one, known[0]))
            and (known[1] is None or abs(b - a - shift) > DAY or _within(b, other, known[1]))
        )

    def _differ_as_clocks(self, one: Stamp, other: Stamp) -> list[Verdict]:
        """Explain times computed from the clock, such as the end of a certificate."""
        shift = self.experiment.clock.start - self.control.clock.start
        leeway = _SLACK + max(window.end - window.start for window in (self.control.clock, self.experiment.clock))
        if one.cycle or one.precision > 60 or abs(shift) < DAY or leeway > _LONG:
            return []
        for zone in {0, self.experiment.utc_offset - self.control.utc_offset}:
            if abs(other.seconds - one.seconds - shift - zone) <= leeway:
                clock = (Cause.TIME, Strength.STRONG, "the times differ by as much as the clocks of the builds")
                return [clock, _LOCAL] if zone else [clock]
        return []

    def _differ_as_dates(self, one: Stamp, other: Stamp) -> list[Verdict]:
        """Explain two dates of one moment in the two time zones."""
        zone = self.experiment.utc_offset - self.control.utc_offset
        dates = one.precision == other.precision == DAY and one.zone is other.zone is None
        if dates and zone and one.seconds != other.seconds and abs(other.seconds - one.seconds - zone) < DAY:
            return [(Cause.TIMEZONE, Strength.WEAK, "the dates are the same moment in each build's time zone")]
        return []


def _within(moment: float, stamp: Stamp, window: Window) -> bool:
    """Return whether the span that `stamp` leaves open after `moment` overlaps `window`."""
    start = window.start - _SLACK - stamp.precision
    length = window.end - window.start + 2 * _SLACK + stamp.precision
    after = moment - start
    return 0 <= (after % stamp.cycle if stamp.cycle else after) <= length


def _weight(stamp: Stamp, window: Window) -> Strength:
    if stamp.cycle and (window.end - window.start > _LONG or stamp.precision > 1):
        return Strength.WEAK
    return Strength.STRONG


def _same(a: float, b: float, stamp: Stamp) -> bool:
    """Return whether both are the same moment, written at least to the minute."""
    return stamp.precision <= 60 and _distance(b - a, 0, stamp.cycle) <= _tolerance(stamp)


def _tolerance(stamp: Stamp) -> float:
    return max(_SLACK, stamp.precision if stamp.precision > 60 else stamp.precision - 1)


def _distance(length: float, expected: float, cycle: float) -> float:
    distance = abs(length - expected)
    return min(distance % cycle, cycle - distance % cycle) if cycle else distance
