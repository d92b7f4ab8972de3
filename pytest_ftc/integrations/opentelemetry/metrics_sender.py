"""The process that sends metrics: each line of its standard input is measured values, and it answers why that failed.

An empty answer says that they have arrived.  It ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.opentelemetry.answers import Answers
from pytest_ftc.integrations.opentelemetry.metric_points import to_metrics
from pytest_ftc.integrations.opentelemetry.resource import make_resource
from pytest_ftc.integrations.opentelemetry.said import Said

_SECONDS = 3.0
"""How long one request may take with all repetitions: less than a session waits, so that it can say what is wrong."""


def main() -> None:
    """Send metrics of the project in the folder that is the first argument; the second one is its name."""
    root, project = sys.argv[1:]
    resource, said = make_resource(Path(root)), Said()
    answers = Answers(said)
    exporter = OTLPMetricExporter(timeout=_SECONDS, session=answers.session)
    for line in sys.stdin.buffer:
        measured = Measured(project)
        measured.take(json.loads(line))
        arrived = answers.confirm(_export(exporter, to_metrics(measured, resource), said))
        os.write(1, json.dumps("" if arrived else said.why or "no answer").encode() + b"\n")


def _export(exporter: OTLPMetricExporter, metrics: MetricsData, said: Said) -> bool:
    try:
        return exporter.export(metrics) is MetricExportResult.SUCCESS
    except Exception as error:
        # Older versions of the exporter raise what they could not send.
        said.take(error)
        return False
