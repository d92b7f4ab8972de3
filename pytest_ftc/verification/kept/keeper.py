"""Keeps the differing outputs of a verification, those of the control and those of the experiment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.model import BuildResult, Difference, Output, Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.build import is_below
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.notes import note_not_kept
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.verification import KeptOutputs
from pytest_ftc.verification.kept.folders import (
    CONTROL,
    EXPERIMENT,
    KeptFile,
    KeptFolders,
    NoRoomError,
    space_of,
)


class OutputKeeper:
    """Keeps outputs in `folders`; none if there are none.  Only files are kept: findings have the targets of links.

    A problem costs only what would be kept, and is a note of the verification.
    """

    def __init__(self, folders: KeptFolders | None) -> None:
        self._folders = folders

    def keep(self, verification: Verification) -> Verification:
        """Return `verification` with the folders to which its differing outputs were copied, if it has any."""
        differing = _find_differing(verification)
        if self._folders is None or not differing:
            return verification
        try:
            sides = _find_files(differing, verification.builds, self._folders.most)
            if not any(sides.values()):
                return verification
            return _with_folder(verification, self._folders.add(_name(verification, differing), sides))
        except NoRoomError:
            return _without(verification, "they and what else this session keeps take more than --ftc-keep-outputs")
        except OSError as error:
            return _without(verification, error.strerror or str(error))
        except FtcError as error:
            return _without(verification, error.message)

    def find(self, verification: Verification) -> Verification:
        """Return the `verification` of an earlier session with what that session kept, if it is still there."""
        differing = _find_differing(verification)
        if self._folders is None or not differing:
            return verification
        try:
            found = self._folders.find(_name(verification, differing))
        except OSError:
            return verification
        return _with_folder(verification, found) if found else verification


def make_keeper(folder: Path, most: int) -> OutputKeeper:
    """Return a keeper that keeps at most `most` bytes in `folder`; nothing for 0."""
    return OutputKeeper(KeptFolders(folder, most) if most else None)


def _find_differing(verification: Verification) -> Sequence[Difference]:
    """Return one difference for each output whose path is safe."""
    first = {one.output: one for one in reversed(verification.differences)}
    return [one for path, one in sorted(first.items()) if is_below(path)]


def _find_files(
    differing: Sequence[Difference], builds: Sequence[BuildResult], most: int
) -> dict[str, dict[str, KeptFile]]:
    """Return the files of both sides whose contents `builds` have left.

    Raises NoRoomError if they take more than `most` bytes, and FtcError if one cannot be fetched from a farm.
    """
    folders = {output.sha256: build.blobs for build in builds if build.blobs for output in build.outputs}
    sides = {CONTROL: [one.control for one in differing], EXPERIMENT: [one.experiment for one in differing]}
    files = {
        side: [output for output in outputs if output and output.sha256 and output.sha256 in folders]
        for side, outputs in sides.items()
    }
    if space_of(output.size for outputs in files.values() for output in outputs) > most:
        raise NoRoomError("no room")
    return {
        side: {output.path: _file(output, folders[output.sha256]) for output in outputs}
        for side, outputs in files.items()
    }


def _file(output: Output, folder: str) -> KeptFile:
    content = find_content(folder, output.sha256)
    return KeptFile(content=content, size=output.size, executable=bool(int(output.mode, 8) & 0o100))


def _name(verification: Verification, differing: Sequence[Difference]) -> str:
    """Return the name of a folder that is the same whenever the same outputs of the artifact differ."""
    rows = [
        [one.output, *((side.sha256, side.mode) if side else () for side in (one.control, one.experiment))]
        for one in differing
    ]
    digest = hashlib.sha256(json.dumps([verification.id, *rows]).encode()).hexdigest()
    return f"{slug(verification.name)}-{digest[:12]}"


def _with_folder(verification: Verification, folder: Path) -> Verification:
    return replace(verification, kept=KeptOutputs(control=str(folder / CONTROL), experiment=str(folder / EXPERIMENT)))


def _without(verification: Verification, why: str) -> Verification:
    return replace(verification, notes=(*verification.notes, note_not_kept(why)))
