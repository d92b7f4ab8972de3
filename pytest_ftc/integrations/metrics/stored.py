"""Gauges of the store: how much it holds, and what waits there."""

from __future__ import annotations

from pathlib import Path

from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.store.garbage_collection import take_stats
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.waiting import count_waiting


def measure_store(project: str, folder: Path) -> Measured:
    """Return what the store in `folder` holds; nothing if there is none.  Raises StoreUnavailableError."""
    measured, layout = Measured(project), Layout(folder)
    if not folder.is_dir():
        return measured
    history = History(layout)
    try:
        stats = take_stats(layout, history)
    finally:
        history.close()
    measured.set(table.CACHE_BYTES, "local", value=stats.blob_bytes + stats.entry_bytes)
    measured.set(table.CACHE_ENTRIES, "local", value=stats.entries)
    measured.set(table.CACHE_CORRUPT, "local", value=stats.quarantined)
    measured.set(table.CACHE_EVICTIONS, "local", value=stats.evicted)
    measured.set(table.SIGNING_QUEUE, value=count_waiting(layout))
    return measured
