"""The process that sends: each line of its standard input is a request, and each request is answered by a line.

It ends when its standard input does, so also after a session that was killed, and takes a bounded time for that.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ftc.integrations.opentelemetry.process import Request

if TYPE_CHECKING:
    from pytest_ftc.integrations.opentelemetry.metrics_sender import MetricsSender
    from pytest_ftc.integrations.opentelemetry.traces_sender import TracesSender

_NICE = 10
"""Builds come first, wherever both want a CPU."""


class Traces:
    """Requests about traces; what sends them is imported with the first."""

    def __init__(self) -> None:
        self._sender: TracesSender | None = None

    def begin(self, job: dict[str, Any]) -> None:
        """Send the traces of a session from now on."""
        from pytest_ftc.integrations.opentelemetry.traces_sender import Job, TracesSender
        from pytest_ftc.model.support.serialization import from_json

        self._sender = TracesSender(from_json(Job, job))

    def end(self, until: float | None) -> dict[str, list[str]]:
        """Send the rest until this time of the monotonic clock; without one, the session was killed."""
        sender, self._sender = self._sender, None
        if sender is None:
            return {}
        return sender.end_killed() if until is None else sender.end(until)


class Metrics:
    """Requests about metrics; what sends them is imported with the first."""

    def __init__(self) -> None:
        self._sender: MetricsSender | None = None

    def send(self, given: dict[str, Any]) -> str:
        """Send what was measured; return why that failed, empty if it did not."""
        if self._sender is None:
            from pytest_ftc.integrations.opentelemetry.metrics_sender import MetricsSender

            self._sender = MetricsSender(Path(given["root"]))
        return self._sender.send(given["project"], given["measured"])


def main() -> None:
    """Do what is asked for on standard input until that ends."""
    os.nice(_NICE)
    traces, metrics, writing = Traces(), Metrics(), threading.Lock()
    # One signal that nobody takes must not hold up the other.
    for_traces, for_metrics = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    actions: dict[Request, tuple[ThreadPoolExecutor, Callable[[Any], Any]]] = {
        Request.BEGIN_TRACES: (for_traces, traces.begin),
        Request.END_TRACES: (for_traces, traces.end),
        Request.SEND_METRICS: (for_metrics, metrics.send),
    }

    def answer(number: int, act: Callable[[Any], Any], given: object) -> None:
        try:
            document = {"answer": act(given)}
        except Exception as error:
            document = {"error": type(error).__name__}
        with writing:
            sys.stdout.buffer.write(json.dumps([number, document]).encode() + b"\n")
            sys.stdout.buffer.flush()

    for line in sys.stdin.buffer:
        number, request, given = json.loads(line)
        pool, act = actions[Request(request)]
        pool.submit(answer, number, act, given)
    try:
        for_traces.submit(traces.end, None).result()
    finally:
        # Nobody waits for a request that is still under way.
        os._exit(0)
