"""Failures that a session passes over, such as those of plugins: noted once each."""

from __future__ import annotations

import threading

from pytest_ftc.model.support.printable import shorten


class Problems:
    """What went wrong, one sentence each; filled from the threads of several verifications."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}
        self._lock = threading.Lock()

    def add(self, sentence: str) -> None:
        """Note `sentence`, once."""
        with self._lock:
            self._sentences[sentence] = None

    def add_failure(self, what: str, plugin: object, error: Exception) -> None:
        """Note that `plugin`, which is a `what`, has raised `error`."""
        self.add(f"the {what} {type(plugin).__name__} failed: {type(error).__name__}: {shorten(str(error))}")

    def list(self) -> tuple[str, ...]:
        """Return the sentences, the first noted first."""
        with self._lock:
            return tuple(self._sentences)
