"""The traces of a session, which leave it as ``[tool.ftc.traces]`` and the variables ``OTEL_*`` say."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_ftc.config.load import Config
from pytest_ftc.model.timing.collector import Collector

MODULE = "pytest_ftc.integrations.opentelemetry.session"
"""What exports; it is loaded only where traces are asked for."""
_SPOOL = "pytest_ftc.integrations.opentelemetry.spool"
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")


def is_asked_for(environ: Mapping[str, str]) -> bool:
    """Return whether variables in `environ` may ask for traces."""
    return any(map(environ.get, _VARIABLES))


class SessionTraces:
    """Exports the traces of a session with `config`; does nothing unless asked to, and never changes a verdict."""

    def __init__(self, config: Config | None) -> None:
        """Raise ConfigurationError, before any builds, where `config` asks for them and the extra is missing."""
        self._exporter: Any = None
        self.problem = ""
        """What has not left and why, in one line; empty if nothing is amiss."""
        self.console: Sequence[str] = ()
        """What is for the terminal."""
        if config and (config.traces or is_asked_for(os.environ)):
            file = config.traces.file if config.traces else None
            self._exporter, self.problem = import_module(MODULE).open_exporter(config.root, file)

    @property
    def folder(self) -> str:
        """The folder for `write_spans` in other processes of the session; empty if they need not."""
        return str(self._exporter.folder or "") if self._exporter else ""

    def begin(self, collector: Collector) -> None:
        """Export the phases of `collector` from now on."""
        if self._exporter:
            self._exporter.begin(collector)

    def end(self, outcome: str, artifacts: int) -> None:
        """End a session with this `outcome` and so many verdicts; its spans leave while other things are done."""
        if self._exporter:
            self._exporter.end(outcome, command="verify", artifacts=artifacts)

    def finish(self) -> None:
        """Wait until all has left, for a bounded time since `end`; may be called again."""
        if self._exporter:
            ended = self._exporter.finish()
            self.problem, self.console = ended.problem, ended.console
            self._exporter = None


def write_spans(collector: Collector, folder: str) -> None:
    """Write the phases of `collector` to `folder`, which is that of the session's `SessionTraces`; none if empty."""
    if folder:
        collector.listen(import_module(_SPOOL).Spool(Path(folder)).add_phase)
