"""Where the time of an artifact went: its phases on one time axis, a row for each build and each other phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pytest_ftc.model import Verification
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.model.timing.totals import GROUPS
from pytest_ftc.reporting.html.elements import folded, line

_MOST_ROWS = 100
"""Rows of one artifact."""
_NOTICED = 0.01
"""Seconds from which a phase is drawn, except a build or one that failed."""
_WITHIN = (PhaseKind.SETUP, PhaseKind.GAP, PhaseKind.QUEUE)
"""Phases inside a build that its bar shows."""
_GROUP_OF = {kind: name for name, kinds in GROUPS.items() for kind in kinds}


def waterfall(one: Verification) -> Iterator[Markup]:
    """Yield the phases of `one` in the order in which they began; nothing for a record without phases."""
    inner: dict[str, list[Phase]] = {}
    for phase in sorted(one.phases, key=lambda phase: phase.started):
        inner.setdefault(phase.parent, []).append(phase)
    known = {phase.id for phase in one.phases}
    roots = [phase for parent, phases in inner.items() if parent not in known for phase in phases]
    rows = [row for row in _walk(roots, inner, 0) if _is_shown(row.phase)]
    if not rows:
        return
    axis = _Axis.around(one.phases)
    body = [Markup('<div class="timeline waterfall">'), *(_draw(row, axis) for row in rows[:_MOST_ROWS])]
    body.append(Markup("</div>"))
    if len(rows) > _MOST_ROWS:
        body.append(Markup("<p>and {:,} more in report.json</p>").format(len(rows) - _MOST_ROWS))
    yield from folded(f"Where the time went: {axis.whole:.1f} s", [*body, _legend(rows[:_MOST_ROWS])])


@dataclass(frozen=True, slots=True)
class _Row:
    phase: Phase
    depth: int
    parts: Sequence[Phase]
    """What the bar of a build consists of."""


@dataclass(frozen=True, slots=True)
class _Axis:
    begin: float
    """Seconds since 1970."""
    whole: float
    """Seconds."""

    @classmethod
    def around(cls, phases: Sequence[Phase]) -> _Axis:
        begin = min(phase.started for phase in phases)
        return cls(begin, max(0.001, max(phase.started + phase.seconds for phase in phases) - begin))

    def place(self, phase: Phase) -> tuple[float, float]:
        """Return where a bar begins and how wide it is, both in percent."""
        # The clock of a farm's worker, by which a command started, may be hours off.
        left, right = (
            min(100.0, max(0.0, 100 * (when - self.begin) / self.whole))
            for when in (phase.started, phase.started + phase.seconds)
        )
        return left, max(0.0, right - left)


def _walk(phases: Sequence[Phase], inner: Mapping[str, Sequence[Phase]], depth: int) -> Iterator[_Row]:
    """Yield a row for each of `phases` and those inside them, but none for what is inside a build."""
    for phase in phases:
        within = inner.get(phase.id, ())
        if phase.kind is PhaseKind.ARTIFACT:
            yield from _walk(within, inner, depth)
        elif phase.kind is PhaseKind.BUILD:
            parts = [part for part in _parts(within, inner) if part.seconds >= _NOTICED]
            yield _Row(phase, depth, sorted(parts, key=lambda part: part.started))
        else:
            yield _Row(phase, depth, [phase])
            yield from _walk(within, inner, depth + 1)


def _parts(phases: Sequence[Phase], inner: Mapping[str, Sequence[Phase]]) -> Iterator[Phase]:
    """Yield the waits of a build, and the runs of its command."""
    for phase in phases:
        if phase.kind in _WITHIN:
            yield phase
        elif phase.kind is PhaseKind.ATTEMPT and (command := _command(phase)):
            yield command
        yield from _parts(inner.get(phase.id, ()), inner)


def _command(attempt: Phase) -> Phase | None:
    started, seconds = (attempt.attributes.get(name) for name in ("command_started", "command_seconds"))
    if not (isinstance(started, (int, float)) and isinstance(seconds, (int, float)) and seconds):
        return None
    return Phase(id="", parent=attempt.id, kind=PhaseKind.BUILD, name="", started=started, seconds=seconds)


def _is_shown(phase: Phase) -> bool:
    return phase.kind is PhaseKind.BUILD or bool(phase.problem) or phase.seconds >= _NOTICED


def _draw(row: _Row, axis: _Axis) -> Markup:
    phase = row.phase
    title = line(phase.name if phase.kind is PhaseKind.BUILD and phase.name else phase.kind.value, 80)
    problem = Markup(' <b class="failed">{}</b>').format(line(phase.problem, 80)) if phase.problem else ""
    is_whole = row.parts == [phase]
    parts = "" if is_whole else Markup(' <small class="quiet">{}</small>').format(_say(row.parts))
    name = Markup('<span class="name" style="padding-left:{}em">{}{}{}</span>').format(row.depth, title, problem, parts)
    bars = Markup().join(_bar(part, axis) for part in row.parts)
    under = "" if is_whole else _bar(phase, axis, "under")
    bar = Markup('<span class="bar">{}{}</span><span class="quiet">{:.2f} s</span>')
    return name + bar.format(under, bars, phase.seconds)


def _say(parts: Sequence[Phase]) -> str:
    """Return the seconds of each group of `parts`."""
    seconds: dict[str, float] = {}
    for part in parts:
        group = _GROUP_OF[part.kind]
        seconds[group] = seconds.get(group, 0.0) + part.seconds
    return ", ".join(f"{name} {seconds[name]:.2f}" for name in GROUPS if name in seconds)


def _bar(phase: Phase, axis: _Axis, style: str = "") -> Markup:
    group = _GROUP_OF[phase.kind]
    left, width = axis.place(phase)
    bar = Markup('<i class="{}" style="left:{:.2f}%;width:{:.2f}%" title="{} {:.2f} s"></i>')
    return bar.format(style or f"at-{group}", left, width, group, phase.seconds)


def _legend(rows: Sequence[_Row]) -> Markup:
    drawn = {_GROUP_OF[part.kind] for row in rows for part in row.parts}
    item = Markup('<span><i class="at-{}"></i>{}</span>')
    items = Markup().join(item.format(name, name) for name in GROUPS if name in drawn)
    return Markup('<p class="legend quiet">{}</p>').format(items)
