"""Examining the outputs of two builds for the places in which they differ."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.members.walk import walk
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.places import Key, Places, leaf_of_manifest, leaf_of_names, pair_names, places_of
from pytest_ftc.model import (
    BuildResult,
    Difference,
    DifferenceKind,
    Field,
    Metadata,
    OutputType,
    Place,
)
from pytest_ftc.model.place import OUTPUT_ITSELF
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.limits import MOST_EXAMINED, NOT_EXAMINED

_TOO_LATE = "not examined: the time limit was reached"


class Examiner:
    """Finds the places in which two builds differ, and caches the results."""

    def __init__(self, metadata: Metadata, comparators: ComparatorChain, seconds: float = math.inf) -> None:
        """Stop examining outputs `seconds` after the beginning of a comparison; the current output is completed."""
        self._metadata = metadata
        self._comparators = comparators
        self._seconds = seconds
        self._seen: dict[tuple[str, str, str], tuple[Place, ...]] = {}
        self.notes: dict[str, None] = {}

    def look(self, control: BuildResult, other: BuildResult) -> Places:
        """Return all places; for an output with a different name in the `other` build, the name is a place too."""
        end = time.monotonic() + self._seconds
        differences = compare_manifests(control.outputs, other.outputs, self._metadata)
        pairs = pair_names(differences)
        new = {difference.output: difference.experiment for difference in differences}
        places: dict[Key, Place] = {}
        for number, difference in enumerate(differences):
            name = difference.output
            reason = NOT_EXAMINED if number >= MOST_EXAMINED else _TOO_LATE if time.monotonic() > end else ""
            if name in pairs:
                renamed = replace(difference, kind=DifferenceKind.CONTENT, experiment=new[pairs[name]])
                places.update(places_of(name, [leaf_of_names(name, pairs[name])]))
                if _is_other_content(renamed):
                    places.update(places_of(name, self._leaves(renamed, control, other, reason)))
            elif name not in pairs.values():
                places.update(places_of(name, self._leaves(difference, control, other, reason)))
        return places

    def _leaves(self, difference: Difference, control: BuildResult, other: BuildResult, reason: str) -> Sequence[Place]:
        """Return the places of one difference; with a `reason` not to examine it, the output as one place."""
        files = files_of(difference, control, other)
        if not files:
            return [leaf_of_manifest(difference)]
        return [_whole(reason)] if reason else self.examine(difference, *files)

    def examine(self, difference: Difference, control: Path, other: Path) -> Sequence[Place]:
        """Return the places that differ between the files `control` and `other`, the two contents of `difference`.

        Raises OSError.
        """
        one, two = difference.contents or (None, None)
        key = difference.output, one.sha256 if one else "", two.sha256 if two else ""
        if key not in self._seen:
            found = self._comparators.ask(difference, control, other)
            self._seen[key] = tuple(map(_leaf_of, found)) or self._walk(difference.output, control, other)
        return self._seen[key]

    def _walk(self, output: str, control: Path, other: Path) -> tuple[Place, ...]:
        found = walk(control, other, output)
        self.notes.update(dict.fromkeys(f"{output}: {text}" for text in found.cut))
        return tuple(found.leaves) or (_whole(),)


def files_of(difference: Difference, control: BuildResult, other: BuildResult) -> tuple[Path, Path] | None:
    """Return the two files of a `difference` in content; None for other kinds."""
    if not difference.contents:
        return None
    one, two = difference.contents
    return find_content(control.blobs, one.sha256), find_content(other.blobs, two.sha256)


def _leaf_of(found: Difference) -> Place:
    """Return the place found by a plugin's comparator, with the values of its evidence."""
    values = (found.evidence.control, found.evidence.experiment) if found.evidence else ("", "")
    one, other = (text.encode("utf-8", "surrogateescape") for text in values)
    where = found.location or OUTPUT_ITSELF
    return Place(
        field=Field.CONTENT, location=where, member=found.member, control=one, experiment=other, note=found.note
    )


def _is_other_content(difference: Difference) -> bool:
    one, two = difference.control, difference.experiment
    return one is not None and two is not None and one.type is OutputType.FILE and one.sha256 != two.sha256


def _whole(note: str = "") -> Place:
    return Place(field=Field.CONTENT, location=OUTPUT_ITSELF, control=b"", experiment=b"", note=note)
