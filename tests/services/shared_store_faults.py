"""Faults of a real farm that is the store of several machines, and whether what it gives is the truth."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.bad_line import BadLine, bad_line_to
from services.farm_faults import Server, alter
from services.fault_counts import Counts
from services.fault_kinds import Found

from pytest_ftc.cli.store import opened_store
from pytest_ftc.integrations.reapi.address import Limits, RemoteAddress
from pytest_ftc.integrations.reapi.errors import AlteredError
from pytest_ftc.integrations.reapi.shared_store import SharedStore, open_shared_store
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError
from pytest_ftc.store.action_cache import Entry, SealedCache, is_authentic, seal_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.garbage_collection import verify_store
from pytest_ftc.store.remote_tier import TierLimits
from pytest_ftc.store.tiered import TieredStore

_KEY = bytes(32)
_QUICK = Limits(call=1.0, persistence=Persistence(attempts=2, first_wait=0.05, longest_wait=0.1, failures=3, rest=0.2))
_TIER = TierLimits(rest=0.3, flush=5.0)
_BOUND = 30.0
"""Seconds within which a machine has all answers, or none."""
_LARGE = 5 << 20


@dataclass
class Kept:
    """What one machine has stored: the truth of some actions, by seed."""

    server: Server
    seed: int
    line: BadLine

    @property
    def actions(self) -> list[str]:
        return [Digest.of(b"%d %d" % (self.seed, number)).hash for number in range(4)]

    def content(self, action: str) -> bytes:
        """Return the output of an action; one of them is large."""
        size = _LARGE if action == self.actions[0] else 500
        return random.Random(action).randbytes(size)

    def entry(self, action: str) -> Entry:
        """Return the verdict of an action."""
        return Entry(
            action=action, asked={}, facilities="", environment="", builds=2, machine="m", made=0.0, traced=False,
            diagnose="off", verification={"of": action}, blobs=(str(Digest.of(self.content(action))),),
        )  # fmt: skip

    def open(self, folder: Path) -> TieredStore:
        """Return the store of a machine."""
        address = RemoteAddress(target=self.line.target)
        connect = partial(open_shared_store, address, _KEY, limits=_QUICK)
        return TieredStore(LocalStore(folder), connect, partial(is_authentic, key=_KEY), _TIER)

    def shared(self) -> contextlib.closing[SharedStore]:
        """Return the farm without a local store, directly."""
        return contextlib.closing(open_shared_store(RemoteAddress(target=self.server.target), _KEY))

    def keep(self, folder: Path) -> None:
        """Store everything, from one machine."""
        store = self.open(folder)
        for action in self.actions:
            file = folder.with_name(action)
            file.write_bytes(self.content(action))
            store.put_files({Digest.of(self.content(action)): file})
            SealedCache(store, _KEY).put(self.entry(action))
        store.close()

    def ask(self, folder: Path, found: Counts) -> None:
        """Compare what another machine gets with the truth; that it gets nothing is no fault."""
        store, started = self.open(folder), time.monotonic()
        cache = SealedCache(store, _KEY)
        for action in self.actions:
            entry = cache.get(action)
            _judge(found, "entry", entry and entry == self.entry(action))
            _judge(found, "content", self._fetch(store, action, folder.with_name("to")))
        store.close()
        if time.monotonic() - started > _BOUND:
            found.note("late: a store that did not answer")
        with opened_store(folder) as local:
            sound = verify_store(local.layout, local.history, _KEY)
        if sound.corrupt or sound.refused or sound.history:
            found.note(f"wrong: the local store is not sound: {sound}")

    def _fetch(self, store: TieredStore, action: str, to: Path) -> bool | None:
        to.unlink(missing_ok=True)
        try:
            store.get_file(Digest.of(self.content(action)), to)
        except (MissingError, AlteredError):
            return False if to.exists() else None
        return to.read_bytes() == self.content(action)

    def entry_file(self, action: str) -> Path:
        """Return the server's file of an entry."""
        return self.server.file(Digest.of(seal_entry(self.entry(action), _KEY)))

    def result_file(self, action: str) -> Path:
        """Return the server's file of the result that names an entry."""
        name = Digest.of(seal_entry(self.entry(action), _KEY)).hash.encode()
        (found,) = (file for file in self.server.results() if name in file.read_bytes())
        return found

    def content_file(self, action: str) -> Path:
        """Return the server's file of a content."""
        return self.server.file(Digest.of(self.content(action)))


def _judge(found: Counts, what: str, is_true: bool | None) -> None:
    found.right += is_true is True
    found.errors += is_true is None
    if is_true is False:
        found.note(f"wrong: another {what} than was stored")


def _swap(kept: Kept) -> None:
    """Have the action cache give one action the authentic entry of another."""
    first, second = kept.actions[:2]
    with kept.shared() as shared:
        shared.put_entry(first, seal_entry(kept.entry(second), _KEY))


def _restart(kept: Kept, *, empty: bool) -> None:
    kept.server.kill()
    kept.server.restart(empty=empty)


def _spoil(line: BadLine, kind: str) -> None:
    setattr(line, kind, {"delay": 0.01}.get(kind, 0.02))


KINDS: dict[str, Callable[[Kept], object]] = {
    "entry altered": lambda kept: alter(kept.entry_file(kept.actions[kept.seed % 4])),
    "entry dangling": lambda kept: kept.entry_file(kept.actions[kept.seed % 4]).unlink(),
    "entry of another action": _swap,
    "result altered": lambda kept: alter(kept.result_file(kept.actions[kept.seed % 4])),
    "result removed": lambda kept: kept.result_file(kept.actions[kept.seed % 4]).unlink(),
    "content altered": lambda kept: alter(kept.content_file(kept.actions[kept.seed % 4])),
    "content removed": lambda kept: kept.content_file(kept.actions[kept.seed % 4]).unlink(),
    "server killed": lambda kept: _restart(kept, empty=False),
    "server killed, its contents lost": lambda kept: _restart(kept, empty=True),
    "line cut": lambda kept: _spoil(kept.line, "cut"),
    "line corrupt": lambda kept: _spoil(kept.line, "corrupt"),
    "line delayed": lambda kept: _spoil(kept.line, "delay"),
}


FEW_KINDS = ("entry of another action", "result altered", "content removed", "server killed", "line corrupt")
"""Those that no other test has."""


def store_faults(folder: Path, server: Server, seed: int, kinds: Iterable[str] = tuple(KINDS)) -> Found:
    """Store verdicts and outputs from one machine, do a fault of each kind, and ask from another one."""
    for number, kind in enumerate(kinds):
        found = Counts(faults=1)
        with _opened(folder, server, seed * 100 + number) as kept, found.timed():
            kept.keep(folder / "first")
            KINDS[kind](kept)
            kept.ask(folder / "second", found)
            if kind.startswith("line"):
                found.faults = int(kept.line.faults > 0)
        yield f"shared store: {kind}", found


@contextlib.contextmanager
def _opened(folder: Path, server: Server, seed: int) -> Iterator[Kept]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with bad_line_to(server.target, seed) as line:
        yield Kept(server, seed, line)
    shutil.rmtree(folder)
