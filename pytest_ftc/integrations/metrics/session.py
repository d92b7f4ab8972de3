"""The metrics of a session: while it runs, that it does and how much there is to do; at its end, all the rest."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from pytest_ftc.config.load import Config
from pytest_ftc.integrations.deadline import call_within
from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.export import Export, open_export
from pytest_ftc.integrations.metrics.measure import measure_session
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.opentelemetry.metrics import OtlpMetrics, find_otlp
from pytest_ftc.model.progress import Load
from pytest_ftc.verification.metrics.facts import SessionFacts

SECONDS = 5.0
"""How long the end of a session may take for metrics."""
_FIRST = 1.0
"""Seconds before the first report of a running session: at its beginning there is enough to do."""
_BETWEEN = 10.0
"""Seconds between two reports of a running session."""
_EACH = 1.0
"""Seconds that one of them may take: the end of the session waits for it."""
_USUAL_TIMEOUT = 600.0
"""Seconds that a build declared in a test may take, of which nobody knows at the beginning."""
_MARGIN = 0.5
"""Seconds of these that are left to say what failed."""


class SessionExporter:
    """Exports the metrics of the session with `config`."""

    def __init__(self, config: Config, export: Export) -> None:
        self._config = config
        self._export = export
        self._project = export.settings.project
        self._ending = threading.Event()
        self._turn = threading.Lock()
        self._load: Load | None = None
        self._progress = 0.0

    def begin(self, look: Callable[[], Load]) -> None:
        """Report every few seconds that the session runs; `look` says how much there is to do."""
        threading.Thread(target=self._report, args=(look,), daemon=True, name="ftc-metrics").start()

    def finish(self, facts: SessionFacts) -> str:
        """Measure the session and export that; return what failed, in one sentence, empty if nothing did."""
        self.stop()
        try:
            end = time.monotonic() + SECONDS - _MARGIN
            return call_within(SECONDS, lambda: self._finish(facts, end))
        except TimeoutError:
            return f"they took longer than {SECONDS:g} s; ftc metrics push"
        except Exception as error:
            # Whatever it is, verdicts and the exit status must not depend on it.
            return f"internal error, please report it: {type(error).__name__}: {error}"
        finally:
            self._export.close()

    def stop(self) -> None:
        """Report nothing more; may be called again."""
        self._ending.set()

    def _finish(self, facts: SessionFacts, end: float) -> str:
        measured = measure_session(self._project, facts, self._config.cost)
        measured.set(table.SESSION_ACTIVE, value=0)
        measured.set(table.SESSION_PROGRESS, value=time.time())
        measured.set(table.QUEUE_DEPTH, value=0)
        measured.set(table.BUILDS_RUNNING, value=0)
        measured.add(self._export.look_at_store())
        with self._turn:
            return self._export.leave(measured, end)

    def _report(self, look: Callable[[], Load]) -> None:
        first = True
        self._ending.wait(_FIRST)
        while not self._ending.is_set():
            measured = self._measure_now(look(), first=first)
            with self._turn:
                if not self._ending.is_set():
                    self._export.leave(measured, time.monotonic() + _EACH)
            first = False
            self._ending.wait(_BETWEEN)

    def _measure_now(self, load: Load, *, first: bool) -> Measured:
        measured, now = Measured(self._project), time.time()
        if first:
            # Counters are there before the first event, which `increase()` would otherwise not see.
            names = [one.name for one in self._config.artifacts]
            measured.begin_at_zero(names)
            if prices := self._config.cost:
                for name in names:
                    measured.count(table.COST, name, prices.currency, by=0)
            measured.seen.update(dict.fromkeys(names, now))
            timeouts = [one.timeout for one in self._config.artifacts]
            measured.set(table.BUILD_TIMEOUT, value=max(_USUAL_TIMEOUT, *timeouts))
        if load != self._load:
            self._load, self._progress = load, now
        measured.set(table.SESSION_ACTIVE, value=1)
        measured.set(table.SESSION_PROGRESS, value=self._progress)
        measured.set(table.QUEUE_DEPTH, value=load.waiting)
        measured.set(table.BUILDS_RUNNING, value=load.running)
        return measured


def open_exporter(config: Config, otlp: OtlpMetrics | None = None) -> SessionExporter:
    """Return what exports the metrics of the session with `config`, also to `otlp`.  Raises ConfigurationError."""
    return SessionExporter(config, open_export(config, otlp))


def find_exporter(config: Config) -> tuple[SessionExporter | None, str]:
    """Return what exports the metrics of the session with `config`, None if nothing does, and a warning, if any.

    Raises ConfigurationError.
    """
    otlp, warning = find_otlp(config.root, os.environ)
    if config.metrics is None and otlp is None:
        return None, warning
    return open_exporter(config, otlp), warning
