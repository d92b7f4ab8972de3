"""A collector in this process, which reads OTLP over HTTP by the official protobufs."""

from __future__ import annotations

import gzip
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Received:
    """A span that has arrived."""

    name: str
    trace: str
    id: str
    parent: str
    start: int
    end: int
    attributes: dict[str, object]
    resource: dict[str, object]
    failed: str | None
    """The description of an error; None for a span that has not failed."""
    schema: str
    state: str = ""


@dataclass
class Receiver:
    """What has arrived, and how the next requests are answered."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    refusals: deque[tuple[int, bytes]] = field(default_factory=deque)
    """Statuses and bodies of the next answers; 0 for no answer at all."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def spans(self) -> list[Received]:
        """All spans."""
        with self.changed:
            return [span for request in self.requests for span in read_spans(request)]

    def wait_for(self, name: str, seconds: float = 20) -> list[Received]:
        """Wait until a span with this `name` has arrived; return all with it."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(one.name == name for one in self.spans), seconds), name
        return [one for one in self.spans if one.name == name]


def read_spans(request: bytes) -> Iterator[Received]:
    """Yield the spans of a `request`."""
    for resource in ExportTraceServiceRequest.FromString(request).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Received(
                    name=span.name,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    attributes=_plain(span.attributes),
                    resource=_plain(resource.resource.attributes),
                    failed=span.status.message if span.status.code == 2 else None,
                    schema=scope.schema_url,
                    state=span.trace_state,
                )


def check_connected(spans: list[Received]) -> Received:
    """Return the root of `spans`, which must be one trace in which each parent is known and encloses its children."""
    assert len({one.trace for one in spans}) == 1
    known = {one.id: one for one in spans}
    assert len(known) == len(spans)
    (root,) = [one for one in spans if one.parent not in known]
    for one in spans:
        parent = known.get(one.parent, one)
        # Clocks of wall and stopwatch differ a little.
        assert parent.start - 50_000_000 <= one.start <= one.end <= parent.end + 50_000_000, (one, parent)
    return root


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a collector."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
            if receiver.refusals:
                status, answer = receiver.refusals.popleft()
                if status == 0:
                    receiver.released.wait(60)
                    return
            else:
                status, answer = 200, self._take(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _take(self, body: bytes) -> bytes:
            with receiver.changed:
                if self.path.endswith("/v1/metrics"):
                    receiver.metrics.append(ExportMetricsServiceRequest.FromString(body))
                    answer = ExportMetricsServiceResponse().SerializeToString()
                else:
                    receiver.requests.append(body)
                    answer = ExportTraceServiceResponse().SerializeToString()
                receiver.changed.notify_all()
            return answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _plain(attributes: object) -> dict[str, object]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes}  # type: ignore[attr-defined]
