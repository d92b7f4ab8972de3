"""Requests to a Pushgateway, and what is said of those that fail."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_ftc.config.metrics import Pushgateway
from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.metrics.pushgateway import Group
from pytest_ftc.model.errors import FtcError


@pytest.fixture
def server():
    """A server that remembers what it is asked, and answers with the status and words it is told."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.asked.append((self.command, self.path, dict(self.headers), body))
            self.send_response(server.status)
            if server.status in (301, 302, 307):
                self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.send_header("Content-Length", str(len(server.words)))
            self.end_headers()
            self.wfile.write(server.words)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.status, server.words = [], 202, b""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def group(server):
    gateway = Pushgateway(url=f"http://127.0.0.1:{server.server_port}", grouping={"instance": "a/b"})
    return Group(gateway, "lib foo", {"authorization": "Bearer hunter2"})


@pytest.fixture
def measured():
    measured = Measured("lib foo")
    measured.count(table.SESSIONS, "passed", by=3)
    return measured


def test_a_push_replaces_the_group_with_the_headers(server, group, measured):
    group.push(measured, 5)
    ((method, path, headers, body),) = server.asked
    assert (method, path) == ("PUT", "/metrics/job/ftc/instance@base64/YS9i/project@base64/bGliIGZvbw==")
    assert {name.lower(): value for name, value in headers.items()}["authorization"] == "Bearer hunter2"
    assert b'ftc_sessions_total{outcome="passed",project="lib foo"} 3.0' in body


def test_a_group_is_deleted_by_its_labels(server, group):
    group.delete(5)
    ((method, path, _, _),) = server.asked
    assert (method, path) == ("DELETE", "/metrics/job/ftc/instance@base64/YS9i/project@base64/bGliIGZvbw==")


def test_what_the_server_says_is_shown_in_one_printable_line_without_secrets(server, group, measured):
    server.status, server.words = 400, b"pushed metrics are \x1b[31minvalid\n" + b"x" * 5000
    with pytest.raises(FtcError) as caught:
        group.push(measured, 5)
    said = caught.value.message
    assert "status 400: pushed metrics are \\x1b[31minvalid" in said
    assert said.isprintable() and len(said) < 500 and "hunter2" not in said


@pytest.mark.parametrize("status", [301, 302, 307])
def test_headers_go_to_no_other_server(server, group, measured, status):
    server.status = status
    with pytest.raises(FtcError, match=f"status {status}"):
        group.push(measured, 5)
    assert len(server.asked) == 1


def test_a_server_that_is_away_is_said_to_be(measured):
    with socket.socket() as bound:  # nobody listens there
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(FtcError) as caught:
            Group(Pushgateway(url=url), "p", {}).push(measured, 5)
    assert caught.value.message == f"the Pushgateway {url}: Connection refused"
