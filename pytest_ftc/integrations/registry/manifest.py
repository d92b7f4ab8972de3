"""Reading the manifest of an OCI artifact with files; its content is not trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_ftc.model.support.printable import shorten

TITLE = "org.opencontainers.image.title"
_UNPACK = "io.deis.oras.content.unpack"
"""The annotation with which oras marks a packed folder."""


class RefusedError(Exception):
    """The answer of a registry is rejected; the message gives the reason and contains no secrets."""


class AbsentError(RefusedError):
    """The registry does not have it."""


class AlteredError(RefusedError):
    """A content is not what its digest says."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a manifest."""

    digest: str
    size: int


def read_manifest(data: bytes, most: int) -> Mapping[str, Layer]:
    """Return the files of a manifest by name.  Raises RefusedError, also if they exceed `most` bytes in total."""
    try:
        manifest = json.loads(data)
        layers = [
            (layer.get("annotations") or {}, Layer(str(layer["digest"]), int(layer["size"])))
            for layer in manifest["layers"]
        ]
        titles = [notes.get(TITLE) for notes, _ in layers]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise RefusedError("its manifest is not that of an OCI artifact with files (perhaps an image index)") from None
    for title, (notes, layer) in zip(titles, layers, strict=True):
        _check(title, notes, layer)
    if not layers:
        raise RefusedError("it contains no files")
    if len(set(titles)) < len(titles):
        raise RefusedError("two of its files have the same name")
    if sum(layer.size for _, layer in layers) > most:
        raise RefusedError(f"its files have more than {most} bytes")
    return dict(zip(map(str, titles), (layer for _, layer in layers), strict=True))


def read_annotations(data: bytes) -> Mapping[str, str]:
    """Return the annotations of a manifest that are text.  Raises RefusedError."""
    try:
        notes = json.loads(data).get("annotations") or {}
        return {str(name): value for name, value in notes.items() if isinstance(value, str)}
    except (ValueError, AttributeError, RecursionError):
        raise RefusedError("its manifest is malformed") from None


def _check(title: object, notes: Mapping[str, object], layer: Layer) -> None:
    if not isinstance(title, str):
        raise RefusedError(f"one of its layers has no name ({TITLE}): push files, as `oras push` does")
    check_title(title)
    if str(notes.get(_UNPACK)).lower() == "true":
        raise RefusedError(f"{shorten(title, 80)} is a packed folder: push its files")
    if not re.fullmatch("sha256:[0-9a-f]{64}", layer.digest) or layer.size < 0:
        raise RefusedError(f"{shorten(title, 80)} has no sha256 digest or no size")


def check_title(title: str) -> None:
    """Raise RefusedError for a name of a file that is a path, hidden from a reader, or too long."""
    if title in ("", ".", "..") or "/" in title or "\\" in title or not title.isprintable() or len(title) > 255:
        raise RefusedError(f"{shorten(repr(title), 80)} is not a valid file name")
