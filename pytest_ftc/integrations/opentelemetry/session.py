"""The traces of a session: who writes them, and the process that sends them."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.integrations.opentelemetry.conventions import SESSION
from pytest_ftc.integrations.opentelemetry.process import SHARED, Request, SenderProcess, wait_for
from pytest_ftc.integrations.opentelemetry.sampling import is_sampled
from pytest_ftc.integrations.opentelemetry.spool import Span, Spool
from pytest_ftc.integrations.opentelemetry.start import NO_EXTRA, is_installed
from pytest_ftc.integrations.opentelemetry.switches import TRACES, Wanted, find_wanted
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.phase import Value

_SECONDS = 5.0
"""How long the end of a session may take for traces."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the traces of a session."""

    problem: str = ""
    """What was not exported and why, in one line; empty if nothing is amiss."""
    console: tuple[str, ...] = ()
    """What is for the terminal."""


class SessionExporter:
    """Exports the spans of a session."""

    def __init__(self, root: Path, file: Path | None, wanted: Wanted) -> None:
        self._root = root
        self._file = file
        self._wanted = wanted
        self._problems = list(wanted.problems)
        self._started = time.time()
        self._until = 0.0
        """When to wait no longer for the sender, by the monotonic clock."""
        self._sender: SenderProcess | None = None
        self._answer: Future[Any] | None = None
        """What the sender says of the end."""
        self._spool: Spool | None = None
        self._collector: Collector | None = None
        self.folder: Path | None = None
        """Where all processes of the session write their spans; None if they need not."""

    def begin(self, collector: Collector) -> None:
        """Export the phases of `collector` from now on, unless its trace is not sampled."""
        sampled, problem = is_sampled(collector.context, os.environ)
        if problem:
            self._problems.append(problem)
        if not (sampled and (self._wanted.otlp or self._wanted.console or self._file)):
            return
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="ftc-traces-"))
            self._sender = SHARED.join()
        except OSError as error:
            self._problems.append(f"no traces: {error.strerror or error}")
            self._remove_folder()
            return
        self._sender.ask(Request.BEGIN_TRACES, self._describe_job(collector))
        self._collector, self._spool = collector, Spool(self.folder)
        collector.listen(self._spool.add_phase)

    def end(self, outcome: str, **attributes: Value) -> None:
        """End the span of the session with these `attributes`, and have all that is left sent; `finish` waits for that.

        `outcome` is ``passed``, ``failed``, ``interrupted`` or ``error``.
        """
        if self._spool and self._collector:
            context = self._collector.context
            self._spool.add(
                Span(
                    id=context.session_span,
                    parent=context.parent_span,
                    kind=SESSION,
                    name="",
                    started=self._started,
                    seconds=time.time() - self._started,
                    attributes={"outcome": outcome, **attributes},
                    problem="" if outcome == "passed" else outcome,
                    process=os.getpid(),
                )
            )
        self._until = time.monotonic() + _SECONDS
        self._end_traces(self._until)

    def finish(self) -> Ended:
        """Wait until all is sent, for a bounded time since `end`; may be called again.

        Without `end`, the session counts as one that was killed.
        """
        self._until = self._until or time.monotonic() + _SECONDS
        self._end_traces(None)
        answer: dict[str, Any] = {}
        sender, self._sender = self._sender, None
        if sender and self._answer:
            try:
                answer = wait_for(self._answer, max(0.0, self._until - time.monotonic()))
            except TimeoutError:
                self._problems.append(f"they were not sent within {_SECONDS:g} s")
            except OSError as error:
                self._problems.append(str(error))
            SHARED.leave(sender)
        self._remove_folder()
        problems = dict.fromkeys([*self._problems, *answer.get("problems", ())])
        return Ended("; ".join(problems), tuple(answer.get("console", ())))

    def _end_traces(self, until: float | None) -> None:
        """Write no more spans, and tell the sender so, unless it knows already."""
        if self._spool and not self._spool.close():
            self._problems.append("some spans could not be written to the folder for temporary files")
        self._spool = None
        if self._sender and not self._answer:
            self._answer = self._sender.ask(Request.END_TRACES, until)

    def _describe_job(self, collector: Collector) -> Any:
        return to_json(
            {
                "folder": self.folder,
                "context": collector.context,
                "root": self._root,
                "started": self._started,
                "otlp": self._wanted.otlp,
                "console": self._wanted.console,
                "file": str(self._file or ""),
            }
        )

    def _remove_folder(self) -> None:
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = None


def open_exporter(root: Path, file: Path | None = None) -> tuple[SessionExporter | None, str]:
    """Return what exports traces of the project in `root`, also to `file`; None if nobody asks, and a warning, if any.

    Raises ConfigurationError if the extra is missing for a `file`.  A variable may be meant for others, so that there
    is only a warning.
    """
    wanted = find_wanted(os.environ, TRACES)
    if wanted.disabled or not (wanted.otlp or wanted.console or wanted.problems or file):
        return None, ""
    if not is_installed():
        if file:
            raise ConfigurationError(f"[tool.ftc.traces]: {NO_EXTRA}")
        return None, f"not exported as OTEL_* say: {NO_EXTRA}"
    return SessionExporter(root, file, wanted), ""
