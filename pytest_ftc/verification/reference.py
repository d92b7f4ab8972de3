"""References: published files with which the outputs of an artifact are compared."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import Artifact, Difference, DifferenceKind, Finding, Output, OutputType, Verdict, Verification
from pytest_ftc.model.errors import FtcError, NormalizationError, SourceError
from pytest_ftc.model.notes import locate_in_published, note_equal, note_normalized
from pytest_ftc.model.oci_reference import is_image
from pytest_ftc.model.protocols import Images
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.epoch import FALLBACK_EPOCH
from pytest_ftc.model.support.limits import MOST_EXAMINED, NOT_EXAMINED
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.verification import EXPECTED

_LARGEST = 4 << 30
"""Largest content, in bytes, that is normalized for comparison."""


class RegistryImages:
    """Published files in registries, which are downloaded to `folder`; the integration is loaded with the first."""

    def __init__(self, folder: Path, cancelled: Callable[[], bool]) -> None:
        self._folder = folder
        self._cancelled = cancelled
        self._opening = threading.Lock()
        self._images: Any = None

    @property
    def is_paused(self) -> bool:
        """Whether a registry is not asked now because it failed too often."""
        return self._images is not None and self._images.is_paused

    def digests(self, name: str) -> Mapping[str, str]:
        """See `pytest_ftc.model.protocols.Images`."""
        return self._opened().digests(name)

    def fetch(self, name: str) -> Mapping[str, Path]:
        """See `pytest_ftc.model.protocols.Images`."""
        return self._opened().fetch(name)

    def _opened(self) -> Images:
        with self._opening:
            if self._images is None:
                self._images = import_module("pytest_ftc.integrations.oci").OciImages(self._folder, self._cancelled)
            images: Images = self._images
        return images


def find_references(artifact: Artifact, images: Images | None = None) -> dict[str, Path]:
    """Return the published files of `artifact` by name; a folder means all files directly in it.

    OCI references are fetched from `images`.  Raises SourceError if a pattern matches nothing, a file cannot be
    fetched, or two files have the same name.
    """
    found: dict[str, Path] = {}
    for pattern in artifact.reference:
        if is_image(pattern):
            for name, file in _registry(images, pattern).fetch(pattern).items():
                _add(found, name, file, pattern)
            continue
        top = Path("/") if pattern.startswith("/") else artifact.declared
        matched = sorted(top.glob(pattern.strip("/")))
        files = [file for path in matched for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
        if not files:
            raise SourceError(f"reference: {pattern!r} matches nothing in {artifact.declared}")
        for file in files:
            _add(found, file.name, file, str(file))
    return found


def _add(found: dict[str, Path], name: str, file: Path, place: str) -> None:
    if found.setdefault(name, file) != file:
        raise SourceError(f"reference: two files are named {name}; one of them is in {place}")


def _registry(images: Images | None, name: str) -> Images:
    if images is None:
        raise SourceError(f"reference: {name}: OCI registries are not supported here")
    return images


def digest_references(artifact: Artifact, images: Images | None = None) -> str:
    """Return a digest of the published files; empty if there are none.  For OCI references, no file is fetched.

    Raises SourceError.
    """
    if not artifact.reference:
        return ""
    local = replace(artifact, reference=tuple(name for name in artifact.reference if not is_image(name)))
    rows = [(name, _describe(path).sha256) for name, path in find_references(local).items()]
    for pattern in filter(is_image, artifact.reference):
        rows += _registry(images, pattern).digests(pattern).items()
    rows.sort()
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogateescape")).hexdigest()


def compare_with_references(
    verification: Verification, artifact: Artifact, folder: Path, images: Images | None = None
) -> Verification:
    """Return `verification` as unreproducible if its outputs differ from the published files.

    `folder` is for temporary copies.  Raises SourceError.
    """
    if not artifact.reference or verification.verdict not in EXPECTED:
        return verification
    with timing().phase(PhaseKind.COMPARE):
        return _compare(verification, artifact, folder, find_references(artifact, images))


def _compare(
    verification: Verification, artifact: Artifact, folder: Path, published: Mapping[str, Path]
) -> Verification:
    control = verification.builds[0]
    built = {output.path.rpartition("/")[2]: output for output in control.outputs if output.type is OutputType.FILE}
    seen = _Seen()
    for name in sorted(published.keys() | built.keys()):
        other = built.get(name)
        one = _describe(published[name], other.path if other else name) if name in published else None
        for difference in compare_manifests([one] if one else [], [other] if other else [], artifact.metadata):
            if difference.kind is DifferenceKind.MODE:
                continue  # a download does not preserve them
            seen.add(
                difference, (published[name], find_content(control.blobs, other.sha256)) if one and other else None
            )
            if one and other:
                seen.notes.append(
                    _compare_normalized(name, published[name], find_content(control.blobs, other.sha256), folder)
                )
    if not seen.differences:
        return replace(verification, notes=(*verification.notes, note_equal(published)))
    return replace(
        verification,
        verdict=Verdict.UNREPRODUCIBLE,
        reason="the builds agree with each other, but not with the published files"
        if verification.verdict is Verdict.REPRODUCIBLE
        else f"{verification.reason}; not equal to the published files",
        differences=tuple(seen.differences),
        findings=tuple(seen.findings),
        notes=(*verification.notes, *seen.notes),
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


@dataclass(slots=True)
class _Seen:
    """What was found in the outputs that are not as published."""

    differences: list[Difference] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    examined: int = 0

    def add(self, difference: Difference, files: tuple[Path, Path] | None) -> None:
        """Look into two `files`; of those beyond the limit it is only said that they differ."""
        from pytest_ftc.diagnosis.from_values import guess, look_into

        if files and self.examined == MOST_EXAMINED:
            difference, files = replace(difference, note=NOT_EXAMINED), None
        self.examined += files is not None
        leaves, cut = look_into(difference, difference.output, files)
        self.notes += cut
        why = "control is the published file, experiment the built one"
        for found in leaves:
            leaf = replace(found, location=locate_in_published(found.location))
            self.differences.append(replace(difference, member=leaf.member, location=leaf.location))
            self.findings.append(replace(guess(difference.output, leaf), why=why))


def _compare_normalized(name: str, published: Path, built: Path, folder: Path) -> str:
    """Return a note on whether the two are equal after normalization, which is less than reproducible."""
    digests = set(_normalized(name, (published, built), folder))
    return note_normalized(name, equal=len(digests) == 1 and "" not in digests)


def _normalized(name: str, files: Sequence[Path], folder: Path) -> Iterator[str]:
    from pytest_ftc.normalize.replace import normalize_file
    from pytest_ftc.normalize.rules import Rules

    for number, file in enumerate(files):
        copy = folder / f"reference-{number}-{secrets.token_hex(8)}" / name
        copy.parent.mkdir()
        try:
            shutil.copyfile(file, copy)
            normalize_file(copy, Rules(epoch=FALLBACK_EPOCH, max_size=_LARGEST), write=True, output=None)
            yield _describe(copy).sha256
        except (OSError, NormalizationError, FtcError):
            yield ""
        finally:
            shutil.rmtree(copy.parent, ignore_errors=True)
