"""Which outputs of two builds are the same output under another name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_ftc.comparison.likeness import Named, Sketch, pair_alike, take_best
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.members.sketches import sketch
from pytest_ftc.comparison.members.span import whole_file
from pytest_ftc.model import BuildResult, Difference, DifferenceKind, Metadata, Output, OutputType
from pytest_ftc.model.support.contents import find_content

_MOST_PAIRED = 2500
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class NamedAlike:
    """The outputs of two builds, each under one name in both."""

    control: tuple[Output, ...]
    other: tuple[Output, ...]
    renamed: Mapping[str, tuple[str, str]]
    """The names in the two builds, by the common one, of outputs whose names differ."""

    def is_told_by_its_files(self, folder: str) -> bool:
        """Return whether an output of only one build is a folder with files in it that have another name in each."""
        names = (name for pair in self.renamed.items() for name in (pair[0], *pair[1]))
        return any(name.startswith(f"{folder}/") for name in names)


Aliases = Mapping[str, str]
"""Other names of outputs of a build, by their names there."""


def name_alike(one: tuple[BuildResult, Aliases], other: tuple[BuildResult, Aliases], metadata: Metadata) -> NamedAlike:
    """Return the outputs of two builds under their aliases; further ones that belong together, under that of `one`.

    They are matched by equal contents, then by what is left of names with a digest or a random word in them and by
    likeness of contents, then by similar names.  Raises OSError, FtcError.
    """
    ours, theirs = (_rename(build.outputs, aliases) for build, aliases in (one, other))
    differences = compare_manifests(list(ours.values()), list(theirs.values()), metadata)
    pairs = _pair_outputs(one[0], other[0], differences)
    back = {new: old for old, new in pairs.items()}
    before = _real_names(one, {})
    after = _real_names(other, back)
    return NamedAlike(
        tuple(ours.values()),
        tuple(_rename(theirs.values(), back).values()),
        {name: (before[name], after[name]) for name in before if after.get(name, before[name]) != before[name]},
    )


def _rename(outputs: Iterable[Output], aliases: Aliases) -> dict[str, Output]:
    renamed = (replace(one, path=aliases[one.path]) if one.path in aliases else one for one in outputs)
    return {one.path: one for one in renamed}


def _real_names(build: tuple[BuildResult, Aliases], further: Aliases) -> dict[str, str]:
    """Return the names of outputs in a build, by those under its aliases and then the `further` ones."""
    named = {build[1].get(one.path, one.path): one.path for one in build[0].outputs}
    return {further.get(name, name): real for name, real in named.items()}


def _pair_outputs(control: BuildResult, other: BuildResult, differences: Sequence[Difference]) -> Mapping[str, str]:
    gone = {one.output: one.control for one in differences if one.kind is DifferenceKind.MISSING and one.control}
    new = {one.output: one.experiment for one in differences if one.kind is DifferenceKind.EXTRA and one.experiment}
    pairs = _pair_equal(gone, new)
    gone, new = _without(gone, pairs.keys()), _without(new, pairs.values())
    pairs |= _pair_alike(gone, new, control, other)
    pairs |= _pair_folders(pairs, gone, new)
    gone, new = _without(gone, pairs.keys()), _without(new, pairs.values())
    return pairs | _pair_similar(gone, new)


def _without(outputs: Mapping[str, Output], names: Collection[str]) -> dict[str, Output]:
    return {name: output for name, output in outputs.items() if name not in names}


def _pair_equal(gone: Mapping[str, Output], new: Mapping[str, Output]) -> dict[str, str]:
    """Pair outputs of equal contents; of several, those with the most similar names."""
    kinds: dict[object, tuple[dict[str, Output], dict[str, Output]]] = {}
    for side, outputs in enumerate((gone, new)):
        for name, output in outputs.items():
            if output.type is not OutputType.DIR:
                kind = (output.type, output.size, output.sha256, output.target)
                kinds.setdefault(kind, ({}, {}))[side][name] = output
    pairs: dict[str, str] = {}
    for one, other in kinds.values():
        pairs |= _pair_similar(one, other, least=0.0)
    return pairs


def _pair_alike(
    gone: Mapping[str, Output], new: Mapping[str, Output], control: BuildResult, other: BuildResult
) -> dict[str, str]:
    def draw(holder: tuple[BuildResult, Output]) -> Sketch | None:
        build, output = holder
        if output.type is not OutputType.FILE:
            return None
        with open(find_content(build.blobs, output.sha256), "rb", 0) as file:
            return sketch(whole_file(file))

    ours, theirs = (
        [Named(name, (build, output), output.type) for name, output in outputs.items()]
        for build, outputs in ((control, gone), (other, new))
    )
    return {one.name: two.name for one, two in pair_alike(ours, theirs, draw)}


def _pair_folders(pairs: Mapping[str, str], gone: Mapping[str, Output], new: Mapping[str, Output]) -> dict[str, str]:
    """Pair the folders of what is paired already."""
    folders: dict[str, str] = {}
    for one, other in pairs.items():
        while "/" in one and "/" in other:
            one, other = one.rpartition("/")[0], other.rpartition("/")[0]
            if one in gone and other in new and one not in pairs and other not in (*folders.values(), *pairs.values()):
                folders.setdefault(one, other)
    return folders


def _pair_similar(gone: Mapping[str, Output], new: Mapping[str, Output], least: float = _ALIKE) -> dict[str, str]:
    if len(gone) * len(new) > _MOST_PAIRED:
        return {}
    likeness = sorted(
        (
            (difflib.SequenceMatcher(None, name, other, autojunk=False).ratio(), name, other)
            for name in gone
            for other in new
            if gone[name].type is new[other].type
        ),
        reverse=True,
    )
    return take_best((name, other) for ratio, name, other in likeness if ratio >= least)
