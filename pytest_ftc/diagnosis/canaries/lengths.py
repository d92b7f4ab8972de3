"""Offsets in programs that differ by as much as the lengths of folders of the builds."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.model import Cause, Place, Strength, Suspicion

_LEAST, _WORD = 2, 4
"""Offsets that all differ by as much, and the bytes of each."""
_WITHIN = "ELF section ."


def find_moved(place: Place, control: Planted, experiment: Planted) -> Iterator[Suspicion]:
    """Yield the causes of a folder whose length is by as much another one as all offsets in `place` are."""
    if not place.location.startswith(_WITHIN) or len(place.control) != len(place.experiment):
        return
    moved = _differences(place.control, place.experiment)
    if len(moved) < _LEAST or len(set(moved)) > 1:
        return
    for cause, one, other in (
        (Cause.BUILD_PATH, control.build_path, experiment.build_path),
        (Cause.HOME, control.home, experiment.home),
        (Cause.TEMP_DIR, control.temp_dir, experiment.temp_dir),
    ):
        if len(other) - len(one) == moved[0]:
            why = f"the offsets differ by as much as the lengths of {one} and {other}"
            yield Suspicion(cause, Strength.WEAK, "", "", why)


def _differences(one: bytes, other: bytes) -> list[int]:
    """Return by how much the words that begin with a byte that differs are apart."""
    found = []
    start = 0
    while start < len(one):
        if one[start] == other[start]:
            start += 1
            continue
        first, second = (int.from_bytes(data[start : start + _WORD], "little") for data in (one, other))
        found.append(second - first)
        start += _WORD
    return found
