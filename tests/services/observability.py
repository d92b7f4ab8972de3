"""Prometheus, a Pushgateway, Alertmanager and a webhook, on free ports of this machine."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

_SCRAPING = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
- job_name: pushgateway
  honor_labels: true
  static_configs: [{{targets: ["127.0.0.1:{gateway}"]}}]
alerting:
  alertmanagers:
  - static_configs: [{{targets: ["127.0.0.1:{alerts}"]}}]
"""
_PATIENCE = 30.0


@dataclass(frozen=True)
class Watch:
    """The servers that watch."""

    pushgateway: str
    """Their URLs."""
    prometheus: str
    alertmanager: str
    received: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The alerts that reached each webhook, as they came."""

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers to `query`."""
        url = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(url, timeout=10) as response:
            found: list[dict[str, Any]] = json.load(response)["data"]["result"]
        return found

    def await_answer(self, query: str) -> list[dict[str, Any]]:
        """Return the answer to `query` as soon as there is one."""
        return await_it(lambda: self.ask(query), query)

    def await_alert(self, name: str, status: str, **labels: str) -> dict[str, Any]:
        """Return the alert `name` with these `labels` as soon as a webhook has it as ``firing`` or ``resolved``."""

        def find() -> dict[str, Any] | None:
            for alert in (one for alerts in self.received.values() for one in alerts):
                own = alert["labels"]
                if own["alertname"] == name and alert["status"] == status and labels.items() <= own.items():
                    return alert
            return None

        return await_it(find, f"{name} {status}")


def await_it(find: Callable[[], Any], what: str) -> Any:
    """Return what `find` finds as soon as that is something."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if found := find():
            return found
        time.sleep(0.1)
    pytest.fail(f"in vain, for {_PATIENCE:g} s: {what}")


@contextlib.contextmanager
def watching(folder: Path, rules: str, routes: Callable[[str, str], str]) -> Iterator[Watch]:
    """Start all servers; `routes` makes Alertmanager's configuration from the webhooks for pages and for tickets."""
    gateway, prometheus, alerts = _free_ports(3)
    with contextlib.ExitStack() as stack:
        hooks, received = stack.enter_context(_webhooks("page", "ticket"))
        (folder / "rules.yml").write_text(rules)
        scraping = _SCRAPING.format(rules=folder / "rules.yml", gateway=gateway, alerts=alerts)
        (folder / "prometheus.yml").write_text(scraping)
        # The test does not wait for others that could join the message.
        routing = yaml.safe_load(routes(hooks["page"], hooks["ticket"]))
        for route in (routing["route"], *routing["route"]["routes"]):
            route.update(group_wait="100ms", group_interval="1s")
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(routing))
        for program, *options in (
            # Debian's one would keep what tests before have pushed.
            ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{gateway}", "--persistence.file="],
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{prometheus}",
            ],
            [
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alerts'}",
                f"--web.listen-address=127.0.0.1:{alerts}",
                "--cluster.listen-address=",
            ],
        ):
            stack.enter_context(_running(program, options, folder / f"{program}.log"))
        watch = Watch(*(f"http://127.0.0.1:{port}" for port in (gateway, prometheus, alerts)), received)
        for url in (watch.pushgateway, watch.prometheus, watch.alertmanager):
            await_it(lambda url=url: _answers(f"{url}/-/ready"), url)
        # Some seconds later than it is ready; what a session leaves before that has no beginning.
        watch.await_answer('up{job="pushgateway"} == 1')
        yield watch


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]


@contextlib.contextmanager
def _running(program: str, options: list[str], log: Path) -> Iterator[None]:
    if shutil.which(program) is None:
        pytest.fail(f"{program} is not installed (apt-get install {program}): its tests cannot run")
    with open(log, "wb") as file:
        server = subprocess.Popen([program, *options], stdout=file, stderr=file)
    try:
        yield
        assert server.poll() is None, log.read_text()
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _webhooks(*names: str) -> Iterator[tuple[Mapping[str, str], Mapping[str, list[dict[str, Any]]]]]:
    """Yield the URLs of webhooks by name, and what they receive."""
    received: dict[str, list[dict[str, Any]]] = {name: [] for name in names}

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received[self.path.strip("/")] += json.loads(body)["alerts"]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {name: f"http://127.0.0.1:{server.server_port}/{name}" for name in names}, received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
