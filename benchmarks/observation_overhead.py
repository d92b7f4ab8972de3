"""What observing a session costs: twenty builds of a second with each configuration, against no phases at all.

    python benchmarks/observation_overhead.py [ROUNDS] [NAME...]

Each round runs one session of each configuration, in another order.  For each configuration it prints the median of
the paired ratios of wall time and of CPU time (of the session and all its processes) to the session without phases,
with their 95 % interval.  Sessions wait most of the time, so differences of wall time below about 1 % drown in the
noise of the machine: `accounted` is what the phases of a session cost by themselves, measured in this process, as a
share of that session.  NAMEs choose configurations.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from plugin_cost import ENVIRONMENT, median_interval

from pytest_ftc.model.timing.collector import Collector, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace

_ARTIFACTS, _BUILDS = 10, 2
_PORT = 43180
_ENDPOINT, _COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{_PORT}"
_UNTIMED = """
from pytest_ftc.model.timing.collector import UNTIMED, Collector

Collector.phase = lambda self, *arguments, **more: UNTIMED.phase(*arguments, **more)
Collector.add = lambda self, *arguments, **more: None
"""
"""A conftest.py that replaces the collection of phases by nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One way to observe a session."""

    name: str
    toml: str = ""
    """Tables of the project's ftc.toml."""
    conftest: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


WITHOUT = Configuration(name="without phases", conftest=_UNTIMED)
CONFIGURATIONS = (
    Configuration(name="nothing configured"),
    Configuration(name="traces", toml='[traces]\nfile = "spans.jsonl"\n'),
    Configuration(name="metrics", toml='[metrics]\ntextfile = "ftc.prom"\n'),
    Configuration(name="collector", environ={_ENDPOINT: _COLLECTOR}),
    Configuration(
        name="all",
        toml='[traces]\nfile = "spans.jsonl"\n[metrics]\ntextfile = "ftc.prom"\n',
        environ={_ENDPOINT: _COLLECTOR},
    ),
)
"""Another way out needs one line here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one session took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, with all processes that it waited for."""
    phases: int


def make_project(folder: Path, configuration: Configuration) -> None:
    """Write the project whose twenty builds take a second each."""
    tables = [
        f'[artifacts.a{number}]\nbuild = "sleep 1; echo x > out"\noutputs = ["out"]\n' for number in range(_ARTIFACTS)
    ]
    (folder / "ftc.toml").write_text("\n".join([configuration.toml, *tables]))
    (folder / "conftest.py").write_text(configuration.conftest)
    (folder / "pytest.ini").write_text("[pytest]\n")


def run_session(folder: Path, configuration: Configuration) -> Session:
    """Run one session in `folder`.  Raises RuntimeError if a verdict is not as expected."""
    make_project(folder, configuration)
    report = folder.parent / "report.json"
    command = [sys.executable, "-m", "pytest", "-q", "--ftc-verify", f"--ftc-builds={_BUILDS}", "--ftc-no-cache"]
    environ = {**ENVIRONMENT, "FTC_STORE": str(folder.parent / "store"), **configuration.environ}
    before, begin = _children(), time.perf_counter()
    done = subprocess.run([*command, f"--ftc-json={report}"], cwd=folder, env=environ, capture_output=True, text=True)
    wall, cpu = time.perf_counter() - begin, _children() - before
    if done.returncode:
        raise RuntimeError(f"{configuration.name}: {done.stdout}{done.stderr}")
    artifacts = json.loads(report.read_text())["artifacts"]
    return Session(wall=wall, cpu=cpu, phases=sum(len(one["phases"]) for one in artifacts))


def _children() -> float:
    """Return the CPU seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def collecting(folder: Path) -> Iterator[None]:
    """Run rotel, a collector that takes everything and keeps nothing."""
    program = files("rotel") / "rotel-agent"
    command = [str(program), "start", "--exporter", "blackhole"]
    endpoints = ["--otlp-http-endpoint", f"127.0.0.1:{_PORT}", "--otlp-grpc-endpoint", f"127.0.0.1:{_PORT + 1}"]
    own_files = ["--pid-file", f"{folder}/rotel.pid", "--log-file", f"{folder}/rotel.log"]
    with subprocess.Popen([*command, *endpoints, *own_files], stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def measure_phase(count: int = 20_000) -> float:
    """Return the seconds that one phase costs, with attributes and inside another one."""
    with Collector(start_trace(os.environ)).collecting(), timing().phase(PhaseKind.ARTIFACT, "a"):
        begin = time.perf_counter()
        for _ in range(count):
            with timing().phase(PhaseKind.BUILD, "a-control", artifact="a", role="control") as opened:
                opened.set(status="ok", exit_code=0)
        return (time.perf_counter() - begin) / count


def summarize(ratios: Sequence[float]) -> str:
    """Return the median of `ratios` to 1, in percent, with its 95 % interval where there are enough."""
    ordered = sorted(100 * (ratio - 1) for ratio in ratios)
    low, high = median_interval(len(ordered))
    return f"{statistics.median(ordered):+6.2f} % ({ordered[low]:+.2f} to {ordered[high]:+.2f})"


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    chosen = [one for one in CONFIGURATIONS if one.name in sys.argv[2:] or not sys.argv[2:]]
    measured: dict[str, list[Session]] = {one.name: [] for one in (WITHOUT, *chosen)}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name, "project")
        folder.mkdir()
        with collecting(Path(name)):
            run_session(folder, WITHOUT)  # what it finds out about the machine, all others know
            for _ in range(rounds):
                for one in random.sample((WITHOUT, *chosen), len(chosen) + 1):
                    measured[one.name].append(run_session(folder, one))
    base, cost = measured[WITHOUT.name], measure_phase()
    wall = statistics.median(session.wall for session in base)
    print(f"{rounds} rounds of {_ARTIFACTS * _BUILDS} builds of 1 s, {wall:.1f} s each without phases")
    print(f"a phase costs {1e6 * cost:.1f} µs")
    for one in chosen:
        sessions = measured[one.name]
        walls = summarize([own.wall / other.wall for own, other in zip(sessions, base, strict=True)])
        cpus = summarize([own.cpu / other.cpu for own, other in zip(sessions, base, strict=True)])
        accounted = statistics.median(100 * own.phases * cost / own.wall for own in sessions)
        print(f"{one.name:<20} wall {walls}  CPU {cpus}  {sessions[0].phases} phases, accounted {accounted:.4f} %")


if __name__ == "__main__":
    main()
