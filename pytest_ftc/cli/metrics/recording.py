"""Commands that measure themselves, where metrics are asked for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import printable
from pytest_ftc.verification.metrics.session import are_asked_for

if TYPE_CHECKING:
    from pytest_ftc.integrations.metrics.measured import Measured

_SECONDS = 5.0
"""How long a command may take for metrics."""


def measure_operation(operation: str, act: Callable[[], int]) -> int:
    """Return the exit status that `act` returns, which pushes to a registry or pulls from it; measure that."""
    began, outcome, said = time.monotonic(), "failed", ""
    try:
        status = act()
        outcome = "refused" if status else "ok"
        return status
    except FtcError as error:
        said = error.message
        raise
    finally:
        seconds = time.monotonic() - began
        record(lambda measured: _fill(measured, operation, outcome, seconds, said))


def record(fill: Callable[[Measured], None]) -> None:
    """Add what `fill` measures to the totals of the project in the current folder, and send them.

    Nothing happens unless ``[tool.ftc.metrics]`` or the variables ``OTEL_*`` ask for metrics; a failure is only told.
    """
    try:
        config = load_project(Path.cwd(), {}, needs_artifacts=False)
        problem = _export(config, fill) if are_asked_for(config, os.environ) else ""
    except TimeoutError:
        problem = f"they took longer than {_SECONDS:g} s; ftc metrics push"
    except FtcError as error:
        problem = str(error)
    if problem:
        print(f"ftc: metrics: {printable(problem)}", file=sys.stderr)


def _export(config: Config, fill: Callable[[Measured], None]) -> str:
    from pytest_ftc.integrations.deadline import call_within
    from pytest_ftc.integrations.metrics.export import open_export
    from pytest_ftc.integrations.metrics.measured import Measured
    from pytest_ftc.integrations.opentelemetry.metrics import find_otlp

    otlp, problem = find_otlp(config.root, os.environ)
    if config.metrics is None and otlp is None:
        return problem
    export = open_export(config, otlp)
    measured = Measured(export.settings.project)
    measured.begin_at_zero(())
    fill(measured)
    measured.add(export.look_at_store())
    end = time.monotonic() + _SECONDS - 0.5
    try:
        return "; ".join(filter(None, (problem, call_within(_SECONDS, lambda: export.leave(measured, end)))))
    finally:
        export.close()


def _fill(measured: Measured, operation: str, outcome: str, seconds: float, said: str) -> None:
    from pytest_ftc.integrations.metrics import table
    from pytest_ftc.integrations.metrics.measure import count_denied

    measured.count(table.REGISTRY_OPERATIONS, operation, outcome)
    measured.observe(table.REGISTRY_SECONDS, operation, value=seconds)
    measured.count(table.PERMISSION_ERRORS, "registry", by=count_denied([said]))
