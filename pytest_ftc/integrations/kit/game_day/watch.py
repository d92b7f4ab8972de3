"""What became of alerts: as a webhook is told, or as an Alertmanager that ran before says."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import shorten

_MOST_BYTES = 4 << 20
_PATIENCE = 10.0
"""Seconds for an answer."""
_BETWEEN = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is known of an alert of a project."""

    fires: bool
    severity: str
    runbook: str
    """Its ``runbook_url``."""
    last: float = field(default_factory=time.monotonic, compare=False)
    """When it was last said to fire, by the monotonic clock."""


class Watch(Protocol):
    """Says what became of alerts."""

    def look(self, alert: str, project: str) -> Notice | None:
        """Return what is known of `alert` for `project`; None if it has never fired."""


class Webhook:
    """Receives what Alertmanager sends."""

    def __init__(self) -> None:
        self._notices: dict[tuple[str, str], dict[str, Notice]] = {}
        self._turn = threading.Lock()

    def look(self, alert: str, project: str) -> Notice | None:
        """Return what Alertmanager said last; an alert of several artifacts fires as long as that of one does."""
        with self._turn:
            known = list(self._notices.get((alert, project), {}).values())
        return max(known, key=lambda one: (one.fires, one.last), default=None)

    def receive(self, message: Any) -> None:
        """Take a `message` of Alertmanager."""
        with self._turn:
            for one in message["alerts"]:
                labels, annotations = one["labels"], one["annotations"]
                known = self._notices.setdefault((labels["alertname"], labels.get("project", "")), {})
                name, fires = json.dumps(labels, sort_keys=True), one["status"] == "firing"
                if fires or name not in known:
                    known[name] = Notice(
                        fires=fires, severity=labels.get("severity", ""), runbook=annotations.get("runbook_url", "")
                    )
                else:
                    known[name] = replace(known[name], fires=False)


@contextlib.contextmanager
def listening(webhook: Webhook) -> Iterator[str]:
    """Yield the URL at which `webhook` receives messages."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), _MOST_BYTES)
            webhook.receive(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *values: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True, name="ftc-webhook").start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Remote:
    """Asks an Alertmanager that is not ours.  Its methods raise FtcError."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._seen: dict[tuple[str, str], Notice] = {}

    def look(self, alert: str, project: str) -> Notice | None:
        """Return what is known of `alert` for `project`; an alert that is gone has ended."""
        for one in self._list():
            labels = one["labels"]
            if (labels["alertname"], labels.get("project")) == (alert, project):
                self._seen[alert, project] = Notice(
                    fires=True, severity=labels.get("severity", ""), runbook=one["annotations"].get("runbook_url", "")
                )
                return self._seen[alert, project]
        known = self._seen.get((alert, project))
        return replace(known, fires=False) if known else None

    def _list(self) -> list[Any]:
        url = f"{self._url}/api/v2/alerts"
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as response:
                found: list[Any] = json.loads(response.read(_MOST_BYTES))
                return found
        except (OSError, ValueError) as error:
            raise FtcError(f"Alertmanager at {self._url}: {shorten(str(error))}") from None


def wait_for(holds: Callable[[], bool], seconds: float, stopping: threading.Event) -> bool:
    """Return whether `holds` did within `seconds`; False if the day is `stopping`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end or stopping.wait(_BETWEEN):
            return False
    return True
