"""The cached verdicts that a store is exported for, and whether the next run can reuse them."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftc.model import BuildRecord, Verdict
from pytest_ftc.store.action_cache import Entry, open_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History, Mark
from pytest_ftc.verification.cache.record import read_verification
from pytest_ftc.verification.warming.actions import Wanted

CONTRADICTED = "later builds had other outputs; it will be built again"


@dataclass(frozen=True, slots=True)
class Found:
    """What the store has of one artifact."""

    wanted: Wanted
    entry: Entry | None = None
    row: int = 0
    """The number of its last build in the history; 0 if it needs none, as where builds differed from each other."""
    why: str = ""
    """Why there is no verdict that the next run can reuse."""

    def judged(self, builds: Sequence[tuple[int, BuildRecord]]) -> Found:
        """Return this with `why`, if `builds` of the history, by number, contradict the verdict."""
        own = dict(builds).get(self.row)
        if self.entry is None or own is None:
            return self
        later = (one for number, one in builds if number > self.row and one.action == own.action)
        if any(one.digest not in ("", own.digest) for one in later):
            return Found(self.wanted, self.entry, self.row, CONTRADICTED)
        return self


class VerdictFinder:
    """Finds verdicts in `store`, whose builds are in `history` and whose entries were authenticated with `key`.

    Of a `shared` store, builds may be in the histories of other machines.
    """

    def __init__(self, store: LocalStore, history: History, key: bytes, *, shared: bool) -> None:
        self._store = store
        self._history = history
        self._key = key
        self._shared = shared

    def find(self, wanted: Wanted) -> Found:
        """Return what there is for `wanted`.  Raises StoreUnavailableError."""
        if not wanted.action:
            return Found(wanted, why=wanted.why)
        data = self._store.get_entry(wanted.action)
        if data is None:
            return Found(wanted, why="these sources have no cached verdict; it will be built")
        entry = open_entry(data, wanted.action, self._key)
        known = read_verification(entry) if entry else None
        if entry is None or known is None:
            return Found(wanted, why="its verdict cannot be trusted or read; it will be built")
        why = CONTRADICTED if entry.disputed else ""
        if known.verdict is not Verdict.REPRODUCIBLE:
            return Found(wanted, entry, why=why)
        row = self._history.find(Mark(generation=entry.history, number=entry.row))
        if row is None and not (self._shared and entry.machine != platform.node()):
            return Found(wanted, why="the history does not have its builds; it will be built again")
        return Found(wanted, entry, row or 0, why)
