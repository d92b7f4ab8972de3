"""The servers of the game day: Pushgateway, Prometheus and Alertmanager of this machine, on free ports of loopback."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.integrations.kit.alertmanager import render_alertmanager
from pytest_ftc.integrations.kit.files import Servers, render_prometheus
from pytest_ftc.integrations.kit.rules import render_rules
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.model.errors import FtcError

_PATIENCE = 30.0
"""Seconds until a server answers."""
_PROGRAMS = {
    "pushgateway": ("prometheus-pushgateway", "pushgateway"),
    "prometheus": ("prometheus",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
}
"""The programs, as Debian calls them and as their makers do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The URLs of servers that run."""

    pushgateway: str
    prometheus: str
    alertmanager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How the servers of a game day are set up."""

    folder: Path
    """For their configurations, data and logs."""
    runbooks: str
    webhook: str
    """Where the Alertmanager that is started sends its messages."""
    haste: float
    """By what the durations of rules and routes are divided."""
    shortest: float
    """Seconds: no window is shorter, however great the haste."""
    targets: Targets
    """The limits in rules."""
    alertmanager: str = ""
    """The URL of one that runs already, and is used instead."""


def find_programs(names: Sequence[str]) -> dict[str, str]:
    """Return the paths of the programs called `names`.  Raises FtcError that names all that are missing."""
    found = {name: next(filter(None, map(shutil.which, _PROGRAMS[name])), None) for name in names}
    missing = [_PROGRAMS[name][0] for name, path in found.items() if path is None]
    if missing:
        raise FtcError(
            f"the game day needs {', '.join(missing)}, which this machine lacks",
            advice=f"on Debian: apt-get install --no-install-recommends {' '.join(missing)}",
        )
    return {name: path for name, path in found.items() if path is not None}


@contextlib.contextmanager
def started(setting: Setting) -> Iterator[Running]:
    """Start the servers, and end them.  Raises FtcError if a program is missing, or does not start."""
    own = not setting.alertmanager
    programs = find_programs(["pushgateway", "prometheus", *(["alertmanager"] if own else [])])
    ports = dict(zip(_PROGRAMS, _free_ports(len(_PROGRAMS)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    running = Running(**{**urls, **({} if own else {"alertmanager": setting.alertmanager})})
    _write_configurations(setting, running)
    with contextlib.ExitStack() as stack:
        for name, program in programs.items():
            arguments = _arguments(name, setting.folder, ports[name])
            stack.enter_context(_process(name, [program, *arguments], setting.folder, urls[name]))
        yield running


def _write_configurations(setting: Setting, running: Running) -> None:
    gateway, alertmanager = (url.partition("://")[2] for url in (running.pushgateway, running.alertmanager))
    # Nothing listens at the discard port: a game day has no node_exporter.
    servers = Servers(pushgateway=gateway, alertmanager=alertmanager, node_exporter="127.0.0.1:9")
    haste, shortest = setting.haste, setting.shortest
    texts = {
        "prometheus.yml": render_prometheus(servers, "1s"),
        "rules.yml": render_rules(setting.runbooks, setting.targets, haste=haste, shortest=shortest),
        "alertmanager.yml": render_alertmanager(setting.webhook, setting.webhook, haste=haste),
    }
    for name, text in texts.items():
        (setting.folder / name).write_text(text, encoding="utf-8")


def _arguments(name: str, folder: Path, port: int) -> list[str]:
    listen = f"--web.listen-address=127.0.0.1:{port}"
    data = folder / f"{name}-data"
    if name == "pushgateway":
        # Debian's keeps what was pushed in a file of the system.
        return [listen, f"--persistence.file={data}"]
    arguments = [
        listen,
        f"--config.file={folder / name}.yml",
        f"--storage{'.tsdb' * (name == 'prometheus')}.path={data}",
    ]
    # Without an address, Alertmanager looks for others of its kind in the network.
    return [*arguments, "--cluster.listen-address="] if name == "alertmanager" else arguments


@contextlib.contextmanager
def _process(name: str, command: Sequence[str], folder: Path, url: str) -> Iterator[None]:
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
        try:
            _await_ready(name, process, url, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_ready(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=1):
            return
        time.sleep(0.05)
    said = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise FtcError(f"{name} did not start: {' | '.join(said) or 'it said nothing'}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
