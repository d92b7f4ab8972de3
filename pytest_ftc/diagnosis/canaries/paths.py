"""Planted paths: the build path, the home folder, the folder for temporary files, the search path."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting
from pytest_ftc.diagnosis.canaries.values import Value, spot_values
from pytest_ftc.model import Cause


def find_paths(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the planted paths in the differences of `place`."""
    yield from spot_values(place, list(_values(control, experiment)), forms_of_path)


def _values(one: Planted, other: Planted) -> Iterator[Value]:
    yield from _parts(Cause.BUILD_PATH, one.build_path, other.build_path, "the build path")
    yield from _parts(Cause.HOME, one.home, other.home, "the home folder")
    yield from _parts(Cause.TEMP_DIR, one.temp_dir, other.temp_dir, "the folder for temporary files")
    yield from _search_path(one.variables.get("PATH", ""), other.variables.get("PATH", ""))


def _parts(cause: str, one: str, other: str, what: str) -> Iterator[Value]:
    """Yield the path, its first folder that the other path does not have, and its last folder."""
    yield Value(cause, one, other, what)
    folders, their_folders = (path.strip("/").split("/") for path in (one, other))
    own = next((name for name in folders if name not in their_folders), "")
    theirs = next((name for name in their_folders if name not in folders), "")
    if own and theirs:
        yield Value(cause, own, theirs, f"a folder of {what}")
    yield Value(cause, posixpath.basename(one), posixpath.basename(other), f"the last folder of {what}")


def _search_path(one: str, other: str) -> Iterator[Value]:
    folders, their_folders = one.split(":"), other.split(":")
    for folder in folders:
        if folder not in their_folders:
            yield Value(Cause.EXEC_PATH, folder, "", "a folder of the search path")
    for folder in their_folders:
        if folder not in folders:
            yield Value(Cause.EXEC_PATH, "", folder, "a folder of the search path")


@cache
def forms_of_path(path: str) -> tuple[bytes, ...]:
    """Return the notations of `path` in outputs: the same number of forms, in the same order, for every path."""
    relative = path.lstrip("/")
    # As in include guards, names of macros and generated functions.
    identifier = re.sub("[^0-9A-Za-z]", "_", relative) if "/" in relative else path
    texts = [
        path,
        relative if "/" in relative else path,
        path.replace("/", "\\"),
        path.replace("/", "\\\\"),
        path.replace("/", "\\/"),
        quote(path, safe="", errors="surrogateescape"),
        quote(path, safe="", errors="surrogateescape").replace("%2F", "%2f"),
        *(relative.replace("/", separator) if "/" in relative else path for separator in "-_.!:"),
        path.upper(),
        identifier,
        identifier.upper(),
    ]
    plain = [text.encode("utf-8", "surrogateescape") for text in texts]
    wide = [path.encode(coding, "surrogatepass") for coding in ("utf-16-le", "utf-16-be")]
    return (*plain, *wide, plain[0].hex().encode(), *_base64(plain[0]))


def _base64(data: bytes) -> Iterator[bytes]:
    """Yield the part of the Base64 of `data` that does not depend on its neighbours (RFC 4648), for each alignment."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data)
        first = (0, 2, 3)[before]
        last = (before + len(data)) * 8 // 6
        yield text[first:last] if last - first >= 8 else b""
