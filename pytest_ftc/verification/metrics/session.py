"""The metrics of a session, which leave it as ``[tool.ftc.metrics]`` and the variables ``OTEL_*`` say."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from pytest_ftc.config.load import Config
from pytest_ftc.model.progress import Load
from pytest_ftc.verification.metrics.facts import SessionFacts

MODULE = "pytest_ftc.integrations.metrics.session"
"""What measures; it is loaded only where metrics are asked for."""
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_METRICS_EXPORTER")


def are_asked_for(config: Config, environ: Mapping[str, str]) -> bool:
    """Return whether `config`, or perhaps a variable in `environ`, asks for metrics."""
    return config.metrics is not None or any(map(environ.get, _VARIABLES))


class SessionMetrics:
    """Measures a session with `config`; does nothing unless that asks for it, and never changes a verdict."""

    def __init__(self, config: Config | None) -> None:
        """Raise ConfigurationError, before any builds, where the extra is missing or a secret for a header is."""
        self._exporter: Any = None
        self.problem = ""
        """Why metrics have not left, in one sentence; empty if they have."""
        if config and are_asked_for(config, os.environ):
            self._exporter, self.problem = import_module(MODULE).find_exporter(config)

    def begin(self, look: Callable[[], Load]) -> None:
        """Report from now on, in the background, that a session is running; `look` says how much there is to do."""
        if self._exporter is not None:
            self._exporter.begin(look)

    def finish(self, facts: SessionFacts) -> None:
        """Measure a session that has ended.  Takes a bounded time."""
        if self._exporter is not None:
            self.problem = "; ".join(filter(None, (self.problem, self._exporter.finish(facts))))

    def stop(self) -> None:
        """Report nothing more; may be called again."""
        if self._exporter is not None:
            self._exporter.stop()
