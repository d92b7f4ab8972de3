"""What earlier audits have found, so that an audit continues where the last one ended."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

from pytest_ftc.integrations.audit.findings import AuditedAction, Standing
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.serialization import from_json, to_json

_LONGEST = 1 << 20
"""Characters of a line."""
_UNSETTLED = (Standing.INCONCLUSIVE, Standing.ABSENT)


class State:
    """A file with one line of JSON for each action that was audited."""

    def __init__(self, path: Path, settings: str) -> None:
        """`settings` tells audits apart that ask for something else: the server, the variations.

        Raises ConfigurationError if the file cannot be read or written.
        """
        self._path = path
        self._settings = settings
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], AuditedAction] = {}
        self._outputs: dict[str, tuple[tuple[str, str], ...]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a+", encoding="utf-8", errors="replace") as file:
                file.seek(0)
                last = "\n"
                while line := file.readline(_LONGEST):
                    self._learn(line)
                    last = line
                if not last.endswith("\n"):
                    file.write("\n")  # An audit was killed while it wrote: the next line is one of its own.
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be used as the state of audits: {error.strerror}") from error

    def find(self, action: str, result: str, *, executes: bool) -> AuditedAction | None:
        """Return what was found of `action` with the cached `result`; if it `executes`, only with executions."""
        known = self._known.get((action, result))
        if known is None or (executes and known.standing is Standing.INTACT):
            return None
        return replace(known, resumed=True)

    def outputs_of(self, action: str) -> tuple[tuple[str, str], ...]:
        """Return the outputs that an earlier audit found in the result of `action`: paths, each with its digest."""
        return self._outputs.get(action, ())

    def add(self, audited: AuditedAction) -> None:
        """Record what was found, unless it has to be tried again.  Raises ConfigurationError."""
        if audited.standing in _UNSETTLED or audited.resumed:
            return
        line = json.dumps({"settings": self._settings, **to_json(audited)}) + "\n"
        try:
            with self._lock, open(self._path, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise ConfigurationError(f"{self._path}: cannot be written: {error.strerror}") from error

    def _learn(self, line: str) -> None:
        """Learn from a line; one that is cut or damaged costs only another audit of its action."""
        try:
            value = json.loads(line)
            if value.pop("settings") != self._settings:
                return
            audited = from_json(AuditedAction, value)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return
        self._known[audited.action, audited.result] = audited
        if audited.outputs:
            self._outputs[audited.action] = audited.outputs
