"""The way out of metrics by OTLP, as the variables ``OTEL_*`` say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.opentelemetry.process import SHARED, Request, SenderProcess, wait_for
from pytest_ftc.integrations.opentelemetry.start import NO_EXTRA, is_installed
from pytest_ftc.integrations.opentelemetry.switches import METRICS, find_wanted
from pytest_ftc.model.errors import FtcError


class OtlpMetrics:
    """Sends the metrics of the project in the folder `root`, by the process that sends traces too."""

    place = "the collector of OTEL_EXPORTER_OTLP_ENDPOINT"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sender: SenderProcess | None = None

    def push(self, measured: Measured, seconds: float) -> None:
        """Send `measured` within so many `seconds`.  Raises FtcError, whose message holds no secret."""
        given = {"root": str(self._root), "project": measured.project, "measured": measured.to_json()}
        try:
            self._sender = self._sender or SHARED.join()
            problem = wait_for(self._sender.ask(Request.SEND_METRICS, given), seconds)
        except TimeoutError:
            problem = f"no answer within {seconds:.1g} s"
        except OSError as error:
            self.close()
            problem = error.strerror or str(error)
        if problem:
            raise FtcError(f"{self.place}: {problem}")

    def close(self) -> None:
        """End the process that sends, unless traces need it; may be called again."""
        sender, self._sender = self._sender, None
        if sender:
            SHARED.leave(sender)


def find_otlp(root: Path, environ: Mapping[str, str]) -> tuple[OtlpMetrics | None, str]:
    """Return the way out that `environ` asks for, None for none, and what is wrong, empty if nothing is."""
    wanted = find_wanted(environ, METRICS)
    problem = "; ".join(wanted.problems)
    if not wanted.otlp:
        return None, problem
    if not is_installed():
        return None, f"not exported as OTEL_* say: {NO_EXTRA}"
    return OtlpMetrics(root), problem
