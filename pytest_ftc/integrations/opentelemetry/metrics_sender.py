"""Sends measured values to a collector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult

from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.opentelemetry.answers import Answers
from pytest_ftc.integrations.opentelemetry.metric_points import to_metrics
from pytest_ftc.integrations.opentelemetry.resource import make_resource
from pytest_ftc.integrations.opentelemetry.said import Said

_SECONDS = 3.0
"""How long one request may take with all repetitions: less than a session waits, so that it can say what is wrong."""


class MetricsSender:
    """Sends the metrics of the project in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self._resource = make_resource(root)
        self._said = Said()
        self._answers = Answers(self._said)
        self._exporter = OTLPMetricExporter(timeout=_SECONDS, session=self._answers.session)

    def send(self, project: str, document: Any) -> str:
        """Send what `project` has measured, as JSON; return why that failed, empty if it has arrived."""
        measured = Measured(project)
        measured.take(document)
        arrived = self._answers.confirm(self._export(measured))
        return "" if arrived else self._said.why or "no answer"

    def _export(self, measured: Measured) -> bool:
        try:
            return self._exporter.export(to_metrics(measured, self._resource)) is MetricExportResult.SUCCESS
        except Exception as error:
            # Older versions of the exporter raise what they could not send.
            self._said.take(error)
            return False
