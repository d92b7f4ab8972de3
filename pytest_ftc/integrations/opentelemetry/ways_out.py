"""Where spans go: to a collector by OTLP, into a file as OTLP in JSON, or to the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from pytest_ftc.integrations.opentelemetry.answers import Answers
from pytest_ftc.integrations.opentelemetry.said import Said
from pytest_ftc.model.support.printable import shorten

# Google's package has no types.
_to_dict: Callable[..., Any] = import_module("google.protobuf.json_format").MessageToDict


class WayOut(Protocol):
    """Where spans go."""

    place: str
    """For a person; it holds no secret."""

    @property
    def problem(self) -> str:
        """Why spans could not be sent so far; it holds no secret."""

    @property
    def refused(self) -> bool:
        """Whether what could not be sent last need not be sent again."""

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send `spans`; return whether they have arrived."""


class Collector:
    """A collector that speaks OTLP over HTTP; the variables ``OTEL_EXPORTER_OTLP_*`` say which, and how."""

    place = "the collector of OTEL_EXPORTER_OTLP_ENDPOINT"

    def __init__(self) -> None:
        self._said = Said()
        self._answers = Answers(self._said)
        self._exporter = OTLPSpanExporter(session=self._answers.session)

    @property
    def problem(self) -> str:
        """See `WayOut`."""
        return self._said.why

    @property
    def refused(self) -> bool:
        """See `WayOut`."""
        return self._answers.refused

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """See `WayOut`.  A collector that is busy is asked again, as long as ``OTEL_EXPORTER_OTLP_TIMEOUT`` allows."""
        try:
            return self._answers.confirm(self._exporter.export(spans) is SpanExportResult.SUCCESS)
        except Exception as error:
            # Older versions of the exporter raise what they could not send.
            self._said.take(error)
            return False


class JsonFile:
    """A file of OTLP in JSON, one request a line, see https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/."""

    refused = False

    def __init__(self, path: Path) -> None:
        """Earlier contents are removed with the first spans."""
        self.place = shorten(str(path))
        self.problem = ""
        self._path = path
        self._begun = False

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """See `WayOut`."""
        line = to_json_line(spans)
        try:
            if not self._begun:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_bytes(b"")
                self._begun = True
            with self._path.open("ab") as file:
                file.write(line)
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            return False
        return True


class Console:
    """Keeps spans as text, for the end of the session: in the middle of it the terminal belongs to pytest."""

    place = "the terminal"
    problem = ""
    refused = False

    def __init__(self) -> None:
        self.lines: list[str] = []

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """See `WayOut`."""
        self.lines += [str(span.to_json(indent=None)) for span in spans]
        return True


def to_json_line(spans: Sequence[ReadableSpan]) -> bytes:
    """Return `spans` as one line of OTLP in JSON: IDs are hexadecimal there, and enums are numbers."""
    request = encode_spans(spans)
    document = _to_dict(request, use_integers_for_enums=True)
    for resource, shown in zip(request.resource_spans, document["resourceSpans"], strict=True):
        for scope, shown_scope in zip(resource.scope_spans, shown["scopeSpans"], strict=True):
            for span, shown_span in zip(scope.spans, shown_scope["spans"], strict=True):
                shown_span["traceId"], shown_span["spanId"] = span.trace_id.hex(), span.span_id.hex()
                if span.parent_span_id:
                    shown_span["parentSpanId"] = span.parent_span_id.hex()
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
