"""The totals of a project: sessions are short, and their counters must grow from one to the next.

They are in the store, one file for each project.  A file that is lost is a reset of all counters, which Prometheus
handles as such.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.bounded_file import read_regular
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.store.layout import Layout, translated

_MOST_BYTES = 64 << 20
_KEPT = 90 * 86400.0
"""Seconds for which the series of an artifact are kept that is no longer part of the project."""


class Totals:
    """The totals of the project `root`, called `project`, in the folder `store`.

    All methods raise StoreUnavailableError.
    """

    def __init__(self, project: str, root: Path, store: Path) -> None:
        self._project = project
        self._layout = Layout(store)
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
        self._file = store / "metrics" / f"{name}.json"

    def read(self) -> Measured:
        """Return the totals; nothing if there are none, or the file is damaged."""
        measured = Measured(self._project)
        with (
            translated(self._layout.root),
            contextlib.suppress(AttributeError, FileNotFoundError, KeyError, RecursionError, TypeError, ValueError),
        ):
            measured.take(json.loads(read_regular(self._file, _MOST_BYTES)))
            return measured
        return Measured(self._project)

    def add(self, measured: Measured) -> None:
        """Add what a session has measured."""
        with self._locked("lock"):
            totals = self.read()
            totals.add(measured)
            totals.forget(time.time() - _KEPT)
            with translated(self._layout.root):
                replace_file(self._file, json.dumps(totals.to_json()).encode(), mode=0o600, durable=False)

    def hand_out(self, take: Callable[[Measured], None]) -> None:
        """Call `take` with the totals; no other process does so meanwhile, so that no older ones arrive later."""
        with self._locked("out.lock"):
            take(self.read())

    @contextlib.contextmanager
    def _locked(self, suffix: str) -> Iterator[None]:
        self._layout.make()
        with contextlib.ExitStack() as stack:
            with translated(self._layout.root):
                self._file.parent.mkdir(mode=0o700, exist_ok=True)
                stack.enter_context(locked(f"{self._file}.{suffix}"))
            yield
