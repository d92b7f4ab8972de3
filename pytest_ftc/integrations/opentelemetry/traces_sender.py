"""Sends what a session writes to its spool."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from pytest_ftc.integrations.opentelemetry.conventions import SESSION
from pytest_ftc.integrations.opentelemetry.resource import make_resource
from pytest_ftc.integrations.opentelemetry.spans import SpanMaker
from pytest_ftc.integrations.opentelemetry.spool import Span, Spool, SpoolReader
from pytest_ftc.integrations.opentelemetry.ways_out import Collector, Console, JsonFile, WayOut
from pytest_ftc.model.timing.trace_context import TraceContext

_SECONDS = 3.5
"""How long to send after a session that was killed."""
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

    folder: Path
    """The folder of the spool."""
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
    _refused: int = 0
    """How many spans will never be taken."""
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
        left = self._refused + len(self._pending) + self.reader.count()
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
                if not way.refused:
                    return False
                self._refused += len(self._pending)
            self._pending = ()
        return True

    def _take(self) -> bool:
        self._pending = [self.make(span) for span in self.reader.take(_BATCH)]
        return bool(self._pending)


class TracesSender:
    """Sends the traces of one session from now on."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._console = Console()
        maker = SpanMaker(job.context, make_resource(job.root))
        self._lanes = [Lane(way, SpoolReader(job.folder), maker.make) for way in self._find_ways()]
        for lane in self._lanes:
            lane.start()

    def end(self, until: float) -> dict[str, list[str]]:
        """Send what is left, until this time of the monotonic clock, which processes share.

        Return the ``problems``, what was not sent and why, and what is for the ``console``.
        """
        for lane in self._lanes:
            lane.end()
        problems = [problem for lane in self._lanes if (problem := lane.wait(until - _MARGIN))]
        shutil.rmtree(self._job.folder, ignore_errors=True)
        return {"problems": problems, "console": self._console.lines}

    def end_killed(self) -> dict[str, list[str]]:
        """End after a session that was killed: with its span, what its processes have done is still one trace."""
        context, started = self._job.context, self._job.started
        span = Span(
            id=context.session_span,
            parent=context.parent_span,
            kind=SESSION,
            name="",
            started=started,
            seconds=time.time() - started,
            problem="killed",
        )
        Spool(self._job.folder).add(span)
        return self.end(time.monotonic() + _SECONDS + _MARGIN)

    def _find_ways(self) -> Iterator[Callable[[], WayOut]]:
        if self._job.otlp:
            yield lambda: Collector()
        if self._job.file:
            yield lambda: JsonFile(Path(self._job.file))
        if self._job.console:
            yield lambda: self._console
