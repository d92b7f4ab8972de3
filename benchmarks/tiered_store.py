"""What a store that machines share costs and saves: 100 unchanged artifacts on machines whose own store is empty.

    python benchmarks/tiered_store.py [--server HOST:PORT] [--artifacts N] [--machines M]

A machine verifies N artifacts (100) and stores them in a farm.  Then others ask for them: one with an empty store, one
that `ftc warm` has warmed, M (8) at once, and one after the farm is gone.  Times are seconds beyond what pytest takes
by itself; bytes are those on the wire, counted by a relay.  Without a server, buildbox-casd is started, which has to be
on the PATH or in the folder $BUILDBOX.  It fails if the first of the others takes 3 s or more, or fetches a file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store import make_project, run, seconds

MOST_SECONDS = 3.0
RUNS = 3
_ELSEWHERE = "import platform\nplatform.node = lambda: 'elsewhere'\n"
"""A plugin that makes a session one of another machine."""


@dataclass
class Relay:
    """Passes bytes on to `target`, and counts them."""

    target: tuple[str, int]
    port: int = 0
    up: int = 0
    down: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self) -> socket.socket:
        """Listen on a free port; closing the socket ends it."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def take(self) -> tuple[int, int]:
        """Return the bytes sent and received since the last call."""
        with self.lock:
            found = self.up, self.down
            self.up = self.down = 0
        return found

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self.target)
                for source, sink, name in ((client, server, "up"), (server, client, "down")):
                    threading.Thread(target=self._pump, args=(source, sink, name), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                with self.lock:
                    setattr(self, name, getattr(self, name) + len(data))
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@dataclass
class Bench:
    """A project, and what its sessions need."""

    folder: Path
    relay: Relay

    def session(self, store: str, *, elsewhere: bool = True) -> tuple[float, dict[str, Any]]:
        """Return the seconds of a session whose local store has this name, and its report."""
        report = self.folder.parent / f"report-{store}.json"
        words = ["--ftc-verify", "--ftc-variations=quick,-time", f"--ftc-json={report}"]
        words += [f"--ftc-store={self.folder.parent / store}", *(["-p", "elsewhere"] if elsewhere else [])]
        took = seconds(lambda: self.call([sys.executable, "-m", "pytest", "-q", *words]))
        return took, json.loads(report.read_bytes())

    def call(self, command: list[str], status: int = 0) -> None:
        """Run `command` in the project."""
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        assert done.returncode == status, command

    def pytest_alone(self) -> float:
        """Return the seconds of a session without artifacts."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "elsewhere"]
        return statistics.median(seconds(lambda: self.call(command, 5)) for _ in range(RUNS))


@contextmanager
def a_farm(folder: Path, runner: Path | None = None) -> Iterator[tuple[str, int]]:
    """Start buildbox-casd on a free port, which executes actions with `runner`, if it is given."""
    program = shutil.which("buildbox-casd", path=os.pathsep.join((os.environ.get("BUILDBOX", ""), os.environ["PATH"])))
    if program is None:
        raise SystemExit("buildbox-casd is neither on the PATH nor in $BUILDBOX; give --server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # As a user that is not root it ends at once if a folder of the PATH cannot be read.
    executing = [f"--buildbox-run={runner}"] if runner else []
    command = [program, "--bind", f"127.0.0.1:{port}", *executing, str(folder / "casd")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            while server.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield "127.0.0.1", port
        finally:
            server.terminate()


def show(what: str, took: float, moved: tuple[int, int], report: dict[str, Any] | None = None) -> None:
    """Print one line."""
    up, down = (f"{number / 1000:9,.0f} kB" for number in moved)
    use = report["session"]["store"] if report else None
    hits = f"; {use['local']} here, {use['remote']} remote, {use['neither']} neither" if use else ""
    print(f"{what:34} {took:6.2f} s   sent {up}, received {down}{hits}")


def measure(bench: Bench, machines: int) -> bool:
    """Print all figures, and return whether they are within the limits."""
    first, report = bench.session("first", elsewhere=False)
    count = len(report["artifacts"])
    show(f"{count} artifacts, first, in all", first, bench.relay.take(), report)
    empty = bench.pytest_alone()
    times, good = [], True
    for number in range(RUNS):
        took, report = bench.session(f"empty-{number}")
        moved = bench.relay.take()
        times.append(took - empty)
        received = report["session"]["store"]["received"]
        good = good and all(one["cached"] for one in report["artifacts"]) and received["contents"] == 0
    median = statistics.median(times)
    show("another machine, its store empty", median, moved, report)
    took, report = bench.session("empty-0")
    show("the same machine again", took - empty, bench.relay.take(), report)
    warm = [str(Path(sys.executable).with_name("ftc")), "warm", f"--store={bench.folder.parent / 'warmed'}"]
    show("ftc warm, in all", seconds(lambda: bench.call(warm)), bench.relay.take())
    took, report = bench.session("warmed")
    show("a warmed machine", took - empty, bench.relay.take(), report)
    with ThreadPoolExecutor(machines) as pool:
        began = time.perf_counter()
        reports = [report for _, report in pool.map(lambda number: bench.session(f"many-{number}"), range(machines))]
        show(f"{machines} empty machines at once, in all", time.perf_counter() - began, bench.relay.take())
    good = good and all(one["cached"] for report in reports for one in report["artifacts"])
    if not good or median >= MOST_SECONDS:
        print(f"FAILED: expected less than {MOST_SECONDS} s, cached verdicts only, and no file fetched")
    return good and median < MOST_SECONDS


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="", metavar="HOST:PORT")
    parser.add_argument("--artifacts", type=int, default=100)
    parser.add_argument("--machines", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiered-benchmark-") as name:
        folder = Path(name)
        os.environ["FTC_STORE_KEY"] = "benchmark" * 4
        os.environ["PYTHONPATH"] = str(folder)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each session would compile everything anew
        (folder / "elsewhere.py").write_text(_ELSEWHERE)
        if options.server:
            host, _, port = options.server.rpartition(":")
            return measure_at((host, int(port)), folder, options)
        with a_farm(folder) as target:
            return measure_at(target, folder, options)


def measure_at(target: tuple[str, int], folder: Path, options: argparse.Namespace) -> int:
    """Measure with the farm at `target`, then without it."""
    project = folder / "project"
    project.mkdir()
    make_project(project, options.artifacts)
    relay = Relay(target)
    with relay.serve():
        text = (project / "ftc.toml").read_text()
        remote = f'[remote]\nendpoint = "grpc://127.0.0.1:{relay.port}"\nstore = true\n'
        (project / "ftc.toml").write_text(remote + text)
        run("git", "-C", project, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qam", "remote")
        bench = Bench(project, relay)
        good = measure(bench, options.machines)
    took, report = bench.session("empty-0")
    show("the same machine, the farm gone", took - bench.pytest_alone(), relay.take(), report)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
