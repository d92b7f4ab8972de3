"""Examining the outputs of two builds for the places in which they differ."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_ftc.comparison.likeness import begins_digest, mask
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.members.twins import Twin
from pytest_ftc.comparison.members.walk import walk
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.comparison.renamed import NamedAlike, name_alike
from pytest_ftc.diagnosis.places import Key, Places, leaf_of_manifest, leaf_of_names, places_of
from pytest_ftc.model import (
    BuildResult,
    Difference,
    DifferenceKind,
    Field,
    Metadata,
    Output,
    Place,
    Role,
)
from pytest_ftc.model.place import OUTPUT_ITSELF
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.limits import MOST_EXAMINED, NOT_EXAMINED

_LONE = (DifferenceKind.MISSING, DifferenceKind.EXTRA)
_TOO_LATE = "not examined: the time limit was reached"


class Examiner:
    """Finds the places in which two builds differ, and caches the results."""

    def __init__(self, metadata: Metadata, comparators: ComparatorChain, seconds: float = math.inf) -> None:
        """Stop examining outputs `seconds` after the beginning of a comparison; the current output is completed."""
        self._metadata = metadata
        self._comparators = comparators
        self._seconds = seconds
        self._first: BuildResult | None = None
        self._known: dict[tuple[Output, ...], Mapping[str, str]] = {}
        self._lone: dict[str, str] = {}
        self._seen: dict[tuple[str, str, str], tuple[Place, ...]] = {}
        self._chosen: dict[str, bool] = {}
        """Whether an output that differs is examined."""
        self._tells = True
        self.notes: dict[str, None] = {}
        """What was cut off, but not of builds with a remedy: these differ in other ways too."""
        self.twins: list[tuple[str, Twin]] = []
        """The contents that differ, with the output each is in."""

    def look(self, control: BuildResult, other: BuildResult) -> Places:
        """Return all places; for an output with a different name in the `other` build, the name is a place too.

        Outputs whose names differ from build to build have the names of the first control that was looked at.
        """
        end = time.monotonic() + self._seconds
        self._tells = Role.REMEDY not in (control.role, other.role)
        both = self._name_alike(control, other)
        differences = compare_manifests(both.control, both.other, self._metadata)
        places: dict[Key, Place] = {}
        for name, (one, two) in both.renamed.items():
            # The name of a folder that begins a digest says no more than the names in it.
            if not (begins_digest(name) and both.is_told_by_its_files(name)):
                places.update(places_of(name, [leaf_of_names(one, two)]))
        for difference in differences:
            if difference.kind not in _LONE or not both.is_told_by_its_files(difference.output):
                leaves = self._leaves(difference, control, other, is_late=time.monotonic() > end)
                found = places_of(self._family(difference), leaves)
                places.update({key: place for key, place in found.items() if key not in places})
        return places

    def _left_out(self, output: str, *, is_late: bool) -> str:
        """Return why `output` is not examined: the same ones are in all comparisons, so that their places match."""
        if output not in self._chosen:
            self._chosen[output] = len(self._chosen) < MOST_EXAMINED and not is_late
        if self._chosen[output]:
            return _TOO_LATE if is_late else ""
        return NOT_EXAMINED if len(self._chosen) > MOST_EXAMINED else _TOO_LATE

    def renamed(self, control: BuildResult, other: BuildResult) -> Mapping[str, str]:
        """Return the names in `other` of outputs that have another name there than in `control`."""
        return dict(self._name_alike(control, other).renamed.values())

    def _name_alike(self, control: BuildResult, other: BuildResult) -> NamedAlike:
        self._first = self._first or control
        one, two = (self._aliases(build) for build in (control, other))
        return name_alike((control, one), (other, two), self._metadata)

    def _aliases(self, build: BuildResult) -> Mapping[str, str]:
        """Return the names that outputs of `build` have in the first control, by their names in `build`."""
        if build.outputs not in self._known:
            assert self._first is not None
            renamed = name_alike((self._first, {}), (build, {}), self._metadata).renamed
            self._known[build.outputs] = {two: one for one, two in renamed.values()}
        return self._known[build.outputs]

    def _family(self, difference: Difference) -> str:
        """Return the name under which an output is told: that of the first of those that only one build has."""
        masked = mask(difference.output)
        if difference.kind not in _LONE or masked == difference.output:
            return difference.output
        return self._lone.setdefault(masked, difference.output)

    def _leaves(
        self, difference: Difference, control: BuildResult, other: BuildResult, *, is_late: bool
    ) -> Sequence[Place]:
        """Return the places of one difference; if it is not examined, the output as one place."""
        files = files_of(difference, control, other)
        if not files:
            return [leaf_of_manifest(difference)]
        reason = self._left_out(difference.output, is_late=is_late)
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
        if self._tells:
            self.notes.update(dict.fromkeys(f"{output}: {text}" for text in found.cut))
        self.twins.extend((output, twin) for twin in found.twins)
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


def _whole(note: str = "") -> Place:
    return Place(field=Field.CONTENT, location=OUTPUT_ITSELF, control=b"", experiment=b"", note=note)
