"""The way out of metrics by OTLP, as the variables ``OTEL_*`` say."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_ftc.integrations.deadline import call_within
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.opentelemetry.start import NO_EXTRA, is_installed, start_sender
from pytest_ftc.integrations.opentelemetry.switches import METRICS, find_wanted
from pytest_ftc.model.errors import FtcError


class OtlpMetrics:
    """Sends the metrics of the project in the folder `root`, by a process that is started with the first of them."""

    place = "the collector of OTEL_EXPORTER_OTLP_ENDPOINT"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def push(self, measured: Measured, seconds: float) -> None:
        """Send `measured` within so many `seconds`.  Raises FtcError, whose message holds no secret."""
        line = json.dumps(measured.to_json()).encode() + b"\n"
        try:
            problem = call_within(seconds, lambda: self._exchange(measured.project, line))
        except TimeoutError:
            self.close()
            problem = f"no answer within {seconds:.1g} s"
        except OSError as error:
            self.close()
            problem = error.strerror or type(error).__name__
        if problem:
            raise FtcError(f"{self.place}: {problem}")

    def close(self) -> None:
        """End the process that sends; may be called again."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()

    def _exchange(self, project: str, line: bytes) -> str:
        process = self._process = self._process or start_sender("metrics_sender", str(self._root), project)
        assert process.stdin and process.stdout
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline()
        return str(json.loads(answer)) if answer else "the process that sends has ended"


def find_otlp(root: Path, environ: Mapping[str, str]) -> tuple[OtlpMetrics | None, str]:
    """Return the way out that `environ` asks for, None for none, and what is wrong, empty if nothing is."""
    wanted = find_wanted(environ, METRICS)
    problem = "; ".join(wanted.problems)
    if not wanted.otlp:
        return None, problem
    if not is_installed():
        return None, f"not exported as OTEL_* say: {NO_EXTRA}"
    return OtlpMetrics(root), problem
