"""Placing the outputs of a build in a folder: each file atomically, and nothing where that would be unsafe."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ftc.builds.launcher.globs import may_match
from pytest_ftc.model import BuildResult, Output, OutputType
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replacement
from pytest_ftc.model.support.contents import find_content

_CHUNK = 1 << 20


class PlacementError(FtcError):
    """Outputs cannot be placed in the folder."""


def plan_places(outputs: Sequence[Output], globs: Sequence[str]) -> dict[str, Output]:
    """Return `outputs` by their paths in a folder: without the folders that their glob names.

    ``dist/*.whl`` is placed as the wheel, ``build/html`` as ``html``.  Raises PlacementError for two at one place.
    """
    places: dict[str, Output] = {}
    for output in outputs:
        place = _place(output.path, globs)
        other = places.setdefault(place, output)
        if other is not output and not (other.type is output.type is OutputType.DIR):
            raise PlacementError(f"{other.path} and {output.path} would both be {place}")
    return places


def _place(path: str, globs: Sequence[str]) -> str:
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise PlacementError(f"{path!r} is no path below the source")
    for glob in globs:
        if may_match(path, glob):
            names = [part for part in glob.split("/") if part not in ("", ".")]
            fixed = next((number for number, part in enumerate(names) if set(part) & set("*?[")), len(names) - 1)
            return "/".join(parts[min(fixed, len(names) - 1) :])
    return path


def check_folder(folder: Path, places: Mapping[str, Output]) -> None:
    """Raise PlacementError if `places` cannot all be placed in `folder`, or would mix with what is there."""
    for one in (folder, *folder.parents):
        if os.path.lexists(one):
            if not one.is_dir():
                raise PlacementError(f"{one} is no folder")
            break
    for place, output in places.items():
        for parent in list(Path(place).parents)[:-1]:
            if (folder / parent).is_symlink() or ((folder / parent).exists() and not (folder / parent).is_dir()):
                raise PlacementError(f"{folder / parent} is no folder, and {place} would be in it; remove it first")
        target = folder / place
        if output.type is OutputType.DIR:
            _check_subfolder(target, place, places)
        elif target.is_dir() and not target.is_symlink():
            raise PlacementError(f"{target} is a folder, and the output a {output.type.value}; remove it first")


def _check_subfolder(target: Path, place: str, places: Mapping[str, Output]) -> None:
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise PlacementError(f"{target} is no folder, and the output is one; remove it first")
    foreign = next((one for one in sorted(target.iterdir()) if f"{place}/{one.name}" not in places), None)
    if foreign is not None:
        raise PlacementError(f"{target} holds {foreign.name}, which the build does not make; remove it first")


def place_outputs(build: BuildResult, folder: Path, places: Mapping[str, Output]) -> None:
    """Write the outputs of `build` to `folder`, which is made; files of the same names are replaced atomically.

    Raises FtcError, also if a content is not what its digest says.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place, output in sorted(places.items()):
            target = folder / place
            if output.type is OutputType.DIR:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if output.type is OutputType.SYMLINK:
                _replace_link(target, output.target)
            else:
                _replace_file(target, output, find_content(build.blobs, output.sha256))
    except OSError as error:
        raise PlacementError(f"cannot write {error.filename or folder}: {error.strerror}") from error


def _replace_file(target: Path, output: Output, content: Path) -> None:
    digest = hashlib.sha256()
    with replacement(target, mode=int(output.mode, 8) & 0o777) as file:
        for chunk in _chunks(content):
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != output.sha256:
            raise PlacementError(f"the content of {output.path} is not what the build left; nothing was replaced")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _replace_link(target: Path, leads_to: str) -> None:
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        part.symlink_to(leads_to)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
