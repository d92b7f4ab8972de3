"""The digest of a report over itself and over the files beside it, by which a change is seen.

A digest proves no origin: who can change a report can also make a new digest.  An attestation tells who made it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DIGEST, FILES = "digest", "files"
ATTESTATIONS = "attestations"
"""The folder of attestations beside a report; they are made after it, and are signed instead."""
_NAME = "report.json"
_LOCK = "outputs/lock"
"""The lock of the folder for kept outputs: empty, and readable only by its owner."""


def seal(document: Mapping[str, Any], folder: Path | None = None) -> dict[str, Any]:
    """Return the report `document` with its digest, and with those of all files in its `folder`."""
    files = {FILES: dict(_digest_files(folder))} if folder else {}
    sealed = {**document, **files}
    return {**sealed, DIGEST: digest(sealed)}


def digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a report: that of its JSON with sorted keys, without spaces, and without the digest.

    Numbers are written as Python does.  Raises ValueError where a text is no Unicode.
    """
    own = {key: value for key, value in document.items() if key != DIGEST}
    text = json.dumps(own, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def find_changed(document: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yield what is no longer as it was when the report `document` in `folder` was written, one sentence each."""
    if document.get(DIGEST) != digest(document):
        yield f"{_NAME} was changed: its digest does not match its contents"
    for name, expected in sorted(document.get(FILES, {}).items()):
        path = folder / name
        if not _is_inside(path, folder):
            yield f"{name} is not in the folder of the report"
        elif not path.is_file():
            yield f"{name} is missing"
        elif _digest_file(path) != expected:
            yield f"{name} was changed"


def _digest_files(folder: Path) -> Iterator[tuple[str, str]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if Path(place, name) != folder / ATTESTATIONS)
        for name in sorted(names):
            path = Path(place, name)
            shown = path.relative_to(folder).as_posix()
            if shown not in (_NAME, _LOCK) and path.is_file() and not path.is_symlink() and shown.isprintable():
                yield shown, _digest_file(path)


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        found = hashlib.sha256()
        while block := file.read(1 << 20):
            found.update(block)
    return f"sha256:{found.hexdigest()}"


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
