"""Writes a store that has only what the next run of a project needs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.model import BuildRecord
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError
from pytest_ftc.store.action_cache import Entry, seal_entry
from pytest_ftc.store.blob_files import sync_filesystem
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import translated
from pytest_ftc.verification.exporting.verdicts import Found, VerdictFinder
from pytest_ftc.verification.warming.actions import Wanted

_MOST_BUILDS = 30
"""Most builds of an artifact, of those that no verdict needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An artifact without a verdict that the next run can reuse."""

    artifact: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    verdicts: int
    """Those that the next run can reuse."""
    blobs: int
    """Contents of outputs."""
    bytes: int
    """Of all files."""
    builds: int
    """Builds in the history."""
    unknown: tuple[Unknown, ...]
    left_out: int
    """Contents of outputs that had no room, or were no longer in the store."""
    left_out_bytes: int


class Exporter:
    """Exports from the store `source`, with its `history`, what the artifacts of `project` need.

    What it writes is authenticated with `key` as the source is, from which it takes only what is authentic.
    """

    def __init__(self, source: LocalStore, history: History, key: bytes, project: str, *, shared: bool) -> None:
        self._source = source
        self._history = history
        self._key = key
        self._project = project
        self._finder = VerdictFinder(source, history, key, shared=shared)

    def export(self, wanted: Sequence[Wanted], folder: Path, room: int) -> Exported:
        """Write the store to the new `folder`, with at most `room` bytes of outputs.  Raises StoreUnavailableError."""
        found = [self._finder.find(one) for one in wanted]
        builds = self._history.select(
            {one.action for one in wanted if one.action},
            {one.id for one in wanted},
            self._project,
            needed={one.row for one in found},
            most=_MOST_BUILDS,
        )
        judged = [one.judged(builds) for one in found]
        with closing(LocalStore(folder)) as target:
            target.layout.make()
            # Contents first: an entry is never visible without them.
            kept, left_out = self._copy_blobs(target, judged, room)
            self._write_records(target, judged, builds)
            with translated(folder):
                if not sync_filesystem(str(folder)):
                    os.sync()
        return Exported(
            verdicts=sum(1 for one in judged if not one.why),
            blobs=len(kept),
            bytes=_size_of(folder),
            builds=len(builds),
            unknown=tuple(Unknown(artifact=one.wanted.artifact, why=one.why) for one in judged if one.why),
            left_out=len(left_out),
            left_out_bytes=sum(digest.size for digest in left_out),
        )

    def _write_records(
        self, target: LocalStore, found: Sequence[Found], builds: Sequence[tuple[int, BuildRecord]]
    ) -> None:
        """Write the history and then the entries, which name their builds by their new numbers."""
        numbers: dict[int, int] = {}
        generation = ""
        with closing(History(target.layout, self._key)) as history:
            if builds:
                mark = history.add([build for _, build in builds])
                first, generation = mark.number - len(builds) + 1, mark.generation
                numbers = {old: first + place for place, (old, _) in enumerate(builds)}
            for one in found:
                if text := self._history.inputs_of(self._project, one.wanted.id):
                    history.note_inputs(self._project, one.wanted.id, text)
        for one in found:
            if one.entry and one.row in numbers:
                self._write_entry(target, replace(one.entry, history=generation, row=numbers[one.row]))
            elif one.entry:
                self._write_entry(target, one.entry)

    def _write_entry(self, target: LocalStore, entry: Entry) -> None:
        """Write `entry`.  Unlike in a store that is in use, all of them are synced to disk together, at the end."""
        with translated(target.layout.root):
            path = Path(target.layout.action(entry.action))
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(seal_entry(entry, self._key))

    def _copy_blobs(self, target: LocalStore, found: Iterable[Found], room: int) -> tuple[list[Digest], list[Digest]]:
        """Copy contents of outputs, the smallest first; return those copied and those not."""
        asked = {Digest.parse(name) for one in found if one.entry for name in one.entry.blobs}
        self._source.missing(asked)  # so that no garbage collection removes them meanwhile
        kept: list[Digest] = []
        with target.batch() as batch:
            for digest in sorted(asked, key=lambda one: (one.size, one.hash)):
                if digest.size > room:
                    break
                file = Path(target.new_part())
                try:
                    self._source.get_file(digest, file, mode=0o400)
                    batch.put_file(file, known=digest)
                except MissingError:
                    continue
                finally:
                    file.unlink(missing_ok=True)
                room -= digest.size
                kept.append(digest)
        return kept, sorted(asked.difference(kept))


def _size_of(folder: Path) -> int:
    with translated(folder):
        return sum(os.lstat(Path(place, name)).st_size for place, _, names in os.walk(folder) for name in names)
