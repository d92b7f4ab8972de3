"""Logs the verdicts of a session."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from pytest_ftc.model import Verification
from pytest_ftc.model.errors import FtcError


class SessionLog:
    """The verdicts of a session, which are appended to the log in `folder` when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self.problem = ""
        """Why verdicts could not be logged."""

    def add(self, verification: Verification) -> Verification:
        """Add `verification` to what `write` will append, and return it."""
        # Only here: the first build is to start before this is imported.
        from pytest_ftc.attestation.evidence import log_entry

        entry = log_entry(verification, time.time())
        with self._lock:
            self._entries.append(entry)
        return verification

    def write(self) -> None:
        """Append the verifications added since the last call."""
        with self._lock:
            entries, self._entries = self._entries, []
        if entries:
            from pytest_ftc.attestation.verdict_log import VerdictLog

            try:
                VerdictLog(self._folder).append(entries)
            except FtcError as error:
                self.problem = f"the verdicts were not logged: {error.message}"
