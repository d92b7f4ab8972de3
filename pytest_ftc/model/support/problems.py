"""Failures of what plugins add: noted once each, and passed over."""

from __future__ import annotations

import threading

from pytest_ftc.model.support.printable import shorten


class Problems:
    """What went wrong, one sentence each; filled from the threads of several verifications."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}
        self._lock = threading.Lock()

    def add(self, what: str, plugin: object, error: Exception) -> None:
        """Note that `plugin`, which is a `what`, has raised `error`."""
        text = shorten(str(error))
        with self._lock:
            self._sentences[f"the {what} {type(plugin).__name__} failed: {type(error).__name__}: {text}"] = None

    def list(self) -> tuple[str, ...]:
        """Return the sentences, the first noted first."""
        with self._lock:
            return tuple(self._sentences)
