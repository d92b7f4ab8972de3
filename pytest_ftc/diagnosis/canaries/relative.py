"""Paths that lead out of the folder of the build: how deep that is tells how many ``../`` they begin with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, Change
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.model import Cause, Strength, Suspicion

_LEADING_OUT = re.compile(rb"((?:\.\./)+)(([\w.@+~-]{2,})(?:/[\w.@+~-]+)*)")
_STEP = len(b"../")


def find_relative_paths(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the build path, where paths to the same file begin with as many more ``../`` as it has more folders."""
    deeper = _depth(experiment.build_path) - _depth(control.build_path)
    others = ((control.home, experiment.home), (control.temp_dir, experiment.temp_dir))
    pairs = list(zip(_LEADING_OUT.finditer(place.control), _LEADING_OUT.finditer(place.experiment), strict=False))
    if not deeper or any(one[2] != other[2] for one, other in pairs):
        return
    is_sure = all(_depth(other) - _depth(one) != deeper for one, other in others)
    for one, other in pairs:
        changes = frozenset(at for at, change in enumerate(place.changes) if _is_in(change, one, other))
        if changes and len(other[1]) - len(one[1]) == deeper * _STEP:
            why = f"it leads out of the build path, which has {abs(deeper)} folder{'s' * (abs(deeper) != 1)}"
            why += f" {'more' if deeper > 0 else 'less'} there"
            strength = Strength.STRONG if is_sure else Strength.WEAK
            # Who made the path may not have known the rest, which another appended.
            values = shown(one[1] + one[3]), shown(other[1] + other[3])
            yield Sighting(Suspicion(Cause.BUILD_PATH, strength, *values, why), changes)


def _depth(path: str) -> int:
    return len([name for name in path.split("/") if name])


def _is_in(change: Change, one: re.Match[bytes], other: re.Match[bytes]) -> bool:
    is_inside = one.start() - _STEP <= change.start and change.end <= one.end(1) + _STEP
    return is_inside and other.start() - _STEP <= change.theirs and change.their_end <= other.end(1) + _STEP
