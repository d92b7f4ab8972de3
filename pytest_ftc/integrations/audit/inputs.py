"""An action's inputs as a folder on this machine."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_ftc.integrations.audit.contents import Contents, portions
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten

_TIME = 1_321_009_871
"""Seconds since 1970 of all files, 2011-11-11T11:11:11Z: the time that workers give inputs."""
_SMALL = 1 << 20
"""Bytes of contents that are fetched several at a time."""


async def write_inputs(contents: Contents, entries: Sequence[Entry], folder: Path) -> None:
    """Write `entries`, whose paths are checked, to the empty `folder`; every byte is verified.

    Raises FaultsError, RemoteError, TransientError, OSError.
    """
    for entry in sorted(entries, key=lambda one: one.path):
        if entry.digest is None and entry.target is None:
            (folder / entry.path).mkdir(parents=True, exist_ok=True)
    places: dict[Digest, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.digest is not None:
            places[entry.digest].append(entry)
    names = {digest: f"input {shorten(found[0].path)}" for digest, found in places.items()}
    small = {digest for digest in places if digest.size <= _SMALL}
    for part in portions(small):
        for digest, data in (await contents.read_all(part, names)).items():
            (folder / places[digest][0].path).write_bytes(data)
    for digest in sorted(places.keys() - small):
        await contents.download(digest, folder / places[digest][0].path, names[digest])
    for first, *others in places.values():
        _finish(folder, first, others)
    for entry in entries:
        if entry.target is not None:
            (folder / entry.path).symlink_to(entry.target)
    _settle_times(folder, entries)


def _finish(folder: Path, first: Entry, others: Iterable[Entry]) -> None:
    """Copy the `first` of equal files to the `others`, each with its own mode."""
    for entry in others:
        shutil.copyfile(folder / first.path, folder / entry.path)
    for entry in (first, *others):
        (folder / entry.path).chmod(0o755 if entry.executable else 0o644)


def _settle_times(folder: Path, entries: Iterable[Entry]) -> None:
    # Deepest first: a change in a folder changes its time.
    for path in sorted((entry.path for entry in entries), reverse=True):
        os.utime(folder / path, (_TIME, _TIME), follow_symlinks=False)
    os.utime(folder, (_TIME, _TIME))
