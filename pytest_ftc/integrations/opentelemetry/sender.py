"""The process that sends what a session writes to its spool.

It ends when its standard input does, so also after a session that was killed, and takes a bounded time for that.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from pytest_ftc.integrations.opentelemetry.conventions import SESSION
from pytest_ftc.integrations.opentelemetry.resource import make_resource
from pytest_ftc.integrations.opentelemetry.spans import SpanMaker
from pytest_ftc.integrations.opentelemetry.spool import END, JOB, Span, Spool, SpoolReader
from pytest_ftc.integrations.opentelemetry.ways_out import Collector, Console, JsonFile, WayOut
from pytest_ftc.model.support.serialization import from_json
from pytest_ftc.model.timing.trace_context import TraceContext

_SECONDS = 3.5
"""How long this process works after a session that was killed."""
_MARGIN = 1.0
"""Seconds before the session waits no longer, in which it is told what was not sent."""
_DELAY = 1.0
"""Seconds between two looks at the spool."""
_LONGEST_DELAY = 16.0
"""Seconds between two attempts at a way out that fails."""
_BATCH = 512
"""Spans of one request, as OpenTelemetry's SDKs have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send, and where."""

    context: TraceContext
    root: Path
    """The root folder of the project."""
    started: float
    """When the session started, seconds since 1970."""
    otlp: bool
    console: bool
    file: str
    """Empty for none."""


@dataclass(slots=True)
class Lane:
    """One way out, in a thread of its own: one that does not answer must not hold up the others."""

    open_way: Callable[[], WayOut]
    reader: SpoolReader
    make: Callable[[Span], ReadableSpan]
    way: WayOut | None = None
    problem: str = ""
    """Why nothing can be sent; empty if something can."""
    _pending: Sequence[ReadableSpan] = ()
    _thread: threading.Thread | None = None
    _ending: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Send until `end`."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Send what is left, and then nothing more."""
        self._ending.set()

    def wait(self, until: float) -> str:
        """Wait for the end until this time of the monotonic clock; return what was not sent and why, if anything."""
        assert self._thread
        self._thread.join(max(0.0, until - time.monotonic()))
        left = len(self._pending) + self.reader.count()
        if not left:
            return ""
        place = self.way.place if self.way else Collector.place
        why = self.problem or (self.way and self.way.problem) or "no answer"
        return f"{left} span{'s' if left > 1 else ''} not sent to {place}: {why}"

    def _run(self) -> None:
        try:
            self._send_until_end()
        except Exception as error:
            self.problem = f"internal error, please report it: {type(error).__name__}"

    def _send_until_end(self) -> None:
        self.way, delay = self.open_way(), _DELAY
        while not self._ending.wait(delay):
            delay = _DELAY if self._send(self.way) else min(2 * delay, _LONGEST_DELAY)
        self._send(self.way)

    def _send(self, way: WayOut) -> bool:
        """Send all there is; return whether that has arrived."""
        while self._pending or self._take():
            if not way.send(self._pending):
                return False
            self._pending = ()
        return True

    def _take(self) -> bool:
        self._pending = [self.make(span) for span in self.reader.take(_BATCH)]
        return bool(self._pending)


def main() -> None:
    """Send what is added to the spool in the folder that is the first argument, until standard input ends."""
    folder = Path(sys.argv[1])
    job = from_json(Job, json.loads((folder / JOB).read_bytes()))
    maker = SpanMaker(job.context, make_resource(job.root))
    console = Console()
    lanes = [Lane(way, SpoolReader(folder), maker.make) for way in _find_ways(job, console)]
    for lane in lanes:
        lane.start()
    until = _wait_for_end(job, folder)
    for lane in lanes:
        lane.end()
    problems = [problem for lane in lanes if (problem := lane.wait(until))]
    shutil.rmtree(folder, ignore_errors=True)
    try:
        os.write(1, json.dumps({"problems": problems, "console": console.lines}).encode())
    finally:
        # Nobody waits for a request that is still under way.
        os._exit(0)


def _find_ways(job: Job, console: Console) -> Iterator[Callable[[], WayOut]]:
    if job.otlp:
        yield lambda: Collector()
    if job.file:
        yield lambda: JsonFile(Path(job.file))
    if job.console:
        yield lambda: console


def _wait_for_end(job: Job, folder: Path) -> float:
    """Wait for the end of the session; return until when to send, by the monotonic clock, which processes share."""
    said = sys.stdin.buffer.read()
    if said.startswith(END):
        return float(said.removeprefix(END)) - _MARGIN
    # The session was killed: with its span, what its processes have done is still one trace.
    span = Span(
        id=job.context.session_span,
        parent=job.context.parent_span,
        kind=SESSION,
        name="",
        started=job.started,
        seconds=time.time() - job.started,
        problem="killed",
    )
    Spool(folder).add(span)
    return time.monotonic() + _SECONDS
