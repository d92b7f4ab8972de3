"""Looking into the outputs of two builds for the places in which they differ."""

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
from pytest_ftc.model.support.limits import MOST_EXAMINED, NOT_EXAMINED

_TOO_LATE = "not examined: the others took as long as a build may"


class Examiner:
    """Finds the places in which two builds differ; what was seen once is remembered."""

    def __init__(self, metadata: Metadata, comparators: ComparatorChain, seconds: float = math.inf) -> None:
        """Let one look at two builds take `seconds`, and what the last output takes."""
        self._metadata = metadata
        self._comparators = comparators
        self._seconds = seconds
        self._seen: dict[tuple[str, str, str], tuple[Place, ...]] = {}
        self.notes: dict[str, None] = {}

    def look(self, control: BuildResult, other: BuildResult) -> Places:
        """Return all places; an output that has another name in the `other` build has its name as a place too."""
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
        """Return the places of one difference; if there is a `reason` not to examine it, the output as one place."""
        files = files_of(difference, control, other)
        if not files:
            return [leaf_of_manifest(difference)]
        return [_whole(reason)] if reason else self.examine(difference, *files)

    def examine(self, difference: Difference, control: Path, other: Path) -> Sequence[Place]:
        """Return the places in two files that hold the two contents of `difference`.  Raises OSError."""
        one, two = difference.contents or (None, None)
        key = difference.output, one.sha256 if one else "", two.sha256 if two else ""
        if key not in self._seen:
            told = self._comparators.ask(difference, control, other)
            self._seen[key] = tuple(map(_leaf_of, told)) or self._walk(difference.output, control, other)
        return self._seen[key]

    def _walk(self, output: str, control: Path, other: Path) -> tuple[Place, ...]:
        found = walk(control, other, output)
        self.notes.update(dict.fromkeys(f"{output}: {text}" for text in found.cut))
        return tuple(found.leaves) or (_whole(),)


def files_of(difference: Difference, control: BuildResult, other: BuildResult) -> tuple[Path, Path] | None:
    """Return the two files of a `difference` of contents; None if it is another."""
    if not difference.contents:
        return None
    one, two = difference.contents
    return Path(control.blobs, one.sha256), Path(other.blobs, two.sha256)


def _leaf_of(told: Difference) -> Place:
    """Return the place that a comparator of a plugin has told; its values are those it shows."""
    values = (told.evidence.control, told.evidence.experiment) if told.evidence else ("", "")
    one, other = (text.encode("utf-8", "surrogateescape") for text in values)
    where = told.location or OUTPUT_ITSELF
    return Place(field=Field.CONTENT, location=where, member=told.member, control=one, experiment=other, note=told.note)


def _is_other_content(difference: Difference) -> bool:
    one, two = difference.control, difference.experiment
    return one is not None and two is not None and one.type is OutputType.FILE and one.sha256 != two.sha256


def _whole(note: str = "") -> Place:
    return Place(field=Field.CONTENT, location=OUTPUT_ITSELF, control=b"", experiment=b"", note=note)
