"""What is counted over all sessions, in files of the local store: how both stores were used, and what was evicted."""

from __future__ import annotations

import json

from pytest_ftc.model.store import TierUse
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.bounded_file import read_regular
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.store.layout import Layout, translated

_NAME = "tiers.json"
_MOST_BYTES = 1 << 16
_EVICTED = "evicted"
_MOST_DIGITS = 32


def read_use(layout: Layout) -> TierUse:
    """Return the sum of all sessions; zeros if there is none, or the file is damaged."""
    try:
        use = from_json(TierUse, json.loads(read_regular(layout.root / _NAME, _MOST_BYTES)))
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return TierUse()
    return use


def add_use(layout: Layout, use: TierUse) -> None:
    """Add the `use` of a session.  Raises StoreUnavailableError."""
    if not use.asked:
        return
    layout.make()
    with translated(layout.root), locked(layout.root / f"{_NAME}.lock"):
        replace_file(layout.root / _NAME, json.dumps(to_json(read_use(layout).plus(use))).encode(), mode=0o600)


def read_evicted(layout: Layout) -> int:
    """Return how many entries were evicted; 0 if none was, or the file is damaged."""
    try:
        return max(0, int(read_regular(layout.root / _EVICTED, _MOST_DIGITS)))
    except (OSError, ValueError):
        return 0


def add_evicted(layout: Layout, count: int) -> None:
    """Add `count` evicted entries; for the one process that collects garbage.  Raises OSError."""
    if count:
        replace_file(layout.root / _EVICTED, b"%d\n" % (read_evicted(layout) + count), mode=0o600, durable=False)
