"""Where the time went: the seconds of each kind of phase, without those of the phases inside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_ftc.model.timing.phase import Phase, PhaseKind

GROUPS: Mapping[str, tuple[PhaseKind, ...]] = {
    "prepare": (PhaseKind.PREPARE, PhaseKind.PLAN),
    "setup": (PhaseKind.SETUP,),
    "gap": (PhaseKind.GAP,),
    "queue": (PhaseKind.QUEUE,),
    "build": (PhaseKind.BUILD, PhaseKind.ATTEMPT, PhaseKind.EXECUTE),
    "compare": (PhaseKind.COMPARE,),
    "diagnose": (PhaseKind.DIAGNOSE,),
    "store": (PhaseKind.STORE_GET, PhaseKind.STORE_PUT),
    "other": (PhaseKind.ARTIFACT, PhaseKind.SIGN, PhaseKind.PUBLISH),
}
"""Kinds of phases that users tell apart, in the order in which they happen."""


def sum_phases(phases: Sequence[Phase]) -> dict[str, float]:
    """Return the seconds of each of `GROUPS`: those of phases that overlap in full, of each without its inner ones."""
    inner: dict[str, list[Phase]] = {}
    for phase in phases:
        inner.setdefault(phase.parent, []).append(phase)
    own: dict[PhaseKind, float] = {}
    for phase in phases:
        seconds = phase.seconds - _covered(phase, inner.get(phase.id, ()))
        own[phase.kind] = own.get(phase.kind, 0.0) + max(0.0, seconds)
    return {name: sum(own.get(kind, 0.0) for kind in kinds) for name, kinds in GROUPS.items()}


def _covered(outer: Phase, phases: Iterable[Phase]) -> float:
    """Return the seconds of `outer` in which at least one of `phases` was going on."""
    total, reached, end = 0.0, outer.started, outer.started + outer.seconds
    for phase in sorted(phases, key=lambda one: one.started):
        begin, stop = max(reached, phase.started), min(end, phase.started + phase.seconds)
        total += max(0.0, stop - begin)
        reached = max(reached, stop)
    return total
