"""References: published files that the builds of an artifact must equal too."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparators import compare_manifests
from pytest_ftc.errors import FtcError, NormalizationError, SourceError
from pytest_ftc.model import (
    Artifact,
    Difference,
    DifferenceKind,
    Finding,
    Output,
    OutputType,
    Verdict,
    Verification,
)
from pytest_ftc.normalizing import Rules, normalize_file
from pytest_ftc.resemblance import guess, look_into

_EPOCH = 1_577_836_800
_LARGEST = 4 << 30
"""Bytes that a file may hold when it is normalized for comparison."""


def find_references(artifact: Artifact) -> dict[str, Path]:
    """Return the published files of `artifact` by name; a folder stands for all files directly in it.

    Raises SourceError when a pattern matches nothing, or two files have one name.
    """
    found: dict[str, Path] = {}
    for pattern in artifact.reference:
        top = Path("/") if pattern.startswith("/") else artifact.declared
        matched = sorted(top.glob(pattern.strip("/")))
        files = [file for path in matched for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
        if not files:
            raise SourceError(f"reference: {pattern!r} matches nothing in {artifact.declared}")
        for file in files:
            if found.setdefault(file.name, file) != file:
                raise SourceError(f"reference: two files are called {file.name}: {found[file.name]} and {file}")
    return found


def digest_references(artifact: Artifact) -> str:
    """Return a digest of the published files; empty where there are none.  Raises SourceError."""
    if not artifact.reference:
        return ""
    rows = sorted((name, _describe(path).sha256) for name, path in find_references(artifact).items())
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogateescape")).hexdigest()


def compare_with_references(verification: Verification, artifact: Artifact, folder: Path) -> Verification:
    """Return `verification` as unreproducible where its outputs are not what was published.

    `folder` is for copies that are needed for a moment.  Raises SourceError.
    """
    if not artifact.reference or verification.verdict is not Verdict.REPRODUCIBLE:
        return verification
    control = verification.builds[0]
    published = find_references(artifact)
    built = {output.path.rpartition("/")[2]: output for output in control.outputs if output.type is OutputType.FILE}
    differences, findings, notes = [], [], []
    for name in sorted(published.keys() | built.keys()):
        other = built.get(name)
        one = _describe(published[name], other.path if other else name) if name in published else None
        for difference in compare_manifests([one] if one else [], [other] if other else [], artifact.metadata):
            if difference.kind is DifferenceKind.MODE:
                continue  # a download does not keep them
            files = (published[name], Path(control.blobs, other.sha256)) if one and other else None
            told, places = _explain(difference, files)
            differences += told
            findings += places
            notes += [_compare_normalized(name, *files, folder)] if files else []
    if not differences:
        return replace(
            verification, notes=(*verification.notes, f"equal to what was published: {', '.join(published)}")
        )
    return replace(
        verification,
        verdict=Verdict.UNREPRODUCIBLE,
        reason="its builds agree with each other, and not with what was published",
        differences=tuple(differences),
        findings=tuple(findings),
        notes=(*verification.notes, *notes),
    )


def _describe(path: Path, name: str = "") -> Output:
    hashed, size = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            while data := file.read(1 << 20):
                hashed.update(data)
                size += len(data)
    except OSError as error:
        raise SourceError(f"reference: {path} cannot be read: {error.strerror}") from error
    return Output(path=name, type=OutputType.FILE, mode="0644", size=size, sha256=hashed.hexdigest())


def _explain(difference: Difference, files: tuple[Path, Path] | None) -> tuple[list[Difference], list[Finding]]:
    leaves, _ = look_into(difference, difference.output, files)
    placed = [replace(difference, member=leaf.member, location=leaf.location) for leaf in leaves]
    why = "control is what was published, experiment what was built"
    return placed, [replace(guess(difference.output, leaf), why=why) for leaf in leaves]


def _compare_normalized(name: str, published: Path, built: Path, folder: Path) -> str:
    """Return whether the two are the same once both are normalized: that is less than reproducible, and said apart."""
    digests = set(_normalized(name, (published, built), folder))
    if len(digests) == 1 and "" not in digests:
        return f"{name}: equal to what was published after both are normalized (order, times, owners, modes, headers)"
    return f"{name}: not equal to what was published even after both are normalized"


def _normalized(name: str, files: Sequence[Path], folder: Path) -> Iterator[str]:
    for number, file in enumerate(files):
        copy = folder / f"reference-{number}-{secrets.token_hex(8)}" / name
        copy.parent.mkdir()
        try:
            shutil.copyfile(file, copy)
            normalize_file(copy, Rules(epoch=_EPOCH, max_size=_LARGEST), write=True, output=None)
            yield _describe(copy).sha256
        except (OSError, NormalizationError, FtcError):
            yield ""
        finally:
            shutil.rmtree(copy.parent, ignore_errors=True)
