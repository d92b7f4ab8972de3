"""``ftc store``: shows, verifies, cleans and exports the verification cache."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from pytest_ftc.cli.output import print_rows
from pytest_ftc.cli.parser import add_action
from pytest_ftc.cli.quantities import duration, size
from pytest_ftc.model import Removed, Soundness, Stats
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.garbage_collection import collect_garbage, take_stats, verify_store
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.secret_key import load_key
from pytest_ftc.verification.user_folders import key_file, store_folder

_ACTIONS = {
    "stats": "show the size of the store",
    "verify": "read every byte and quarantine corrupt entries; exit status 1 if there are any",
    "export": "write a store that has only what the next run of this project needs, such as for a cache of CI",
    "gc": "evict entries unused for --max-age, then the least recently used above --max-size",
}


@dataclass(frozen=True, slots=True)
class _Open:
    layout: Layout
    history: History


@contextmanager
def opened_store(folder: Path | None) -> Iterator[_Open]:
    layout = LocalStore(folder or store_folder()).layout
    history = History(layout)
    try:
        layout.make()
        yield _Open(layout, history)
    finally:
        history.close()


def stats_of(folder: Path | None) -> Stats:
    """Return how much the store in `folder` holds, or that of this user.  Raises StoreUnavailableError."""
    with opened_store(folder) as store:
        return take_stats(store.layout, store.history)


def verify(folder: Path | None) -> Soundness:
    """Read every byte of the store and quarantine corrupt entries.  Raises StoreUnavailableError."""
    with opened_store(folder) as store:
        return verify_store(store.layout, store.history, load_key(key_file(), os.environ))


def collect(folder: Path | None, *, max_size: int, max_age: float) -> Removed:
    """Evict entries unused for `max_age` seconds, then the least recently used above `max_size` bytes.

    Raises StoreUnavailableError.
    """
    with opened_store(folder) as store:
        return collect_garbage(store.layout, max_size=max_size, max_age=max_age)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc store``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, brief in _ACTIONS.items():
        own = add_action(actions, action, brief)
        add_store_arguments(own)
        if action == "export":
            import_module(f"{__name__}.export").add_arguments(own)
        if action == "gc":
            own.add_argument("--max-size", metavar="SIZE", type=size, default="10G", help="such as 500M; default: 10G")
            own.add_argument(
                "--max-age", metavar="AGE", type=duration, default="30d", help="such as 30d or 12h; default: 30d"
            )


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of all commands that read the store."""
    parser.add_argument(
        "--store", metavar="DIR", type=Path, help="the store's folder (default: FTC_STORE, else the user's own store)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the action and print its result."""
    from pytest_ftc.reporting.terminal.store import describe_removed, describe_soundness, describe_stats

    if options.action == "export":
        status: int = import_module(f"{__name__}.export").run(options)
        return status
    if options.action == "stats":
        found = stats_of(options.store)
        print_rows(options, found, describe_stats(found))
        return 0
    if options.action == "verify":
        checked = verify(options.store)
        print_rows(options, checked, describe_soundness(checked))
        return int(bool(checked.corrupt or checked.refused or checked.history))
    removed = collect(options.store, max_size=options.max_size, max_age=options.max_age)
    print_rows(options, removed, describe_removed(removed))
    return 0
