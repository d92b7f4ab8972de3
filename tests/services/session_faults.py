"""Whole sessions on a real farm with faults, and whether their verdicts are right."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from services.farm_faults import Server, all_ended, describe_processes
from services.parity import as_toml, explained
from services.reapi_servers import STANDARD

TRUTH = {
    "good": "reproducible",
    "copy": "reproducible",
    "clock": "unreproducible",
    "path": "unreproducible",
    "large": "unreproducible",
    "broken": "failed",
}
_BUILDS = {
    "good": "cat source.txt large.bin | sha256sum > out; sleep 0.4",
    "copy": "cp large.bin out",
    "clock": "date +%s%N > out",
    "path": "pwd > out",
    "large": "pwd > out; cat large.bin >> out",
    "broken": "exit 3",
}
_NEEDS = {"path": {"build_path"}, "large": {"build_path"}}
"""What must be varied for an artifact to differ."""
_LARGE = 5 << 20
_BOUND = 240.0
"""Seconds within which a session has to end, whatever happens."""


@dataclass
class Faulty:
    """One session that had faults."""

    kind: str
    faults: int = 0
    seconds: float = 0.0
    verdicts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What should never be: a wrong verdict, no end, a traceback, an error without a reason, something that runs on."""


def write_project(folder: Path, endpoint: str, seed: int, timeout: int = 15) -> None:
    """Write a project whose verdicts are `TRUTH`; `timeout` is that of each build, in seconds."""
    folder.mkdir(parents=True)
    (folder / "large.bin").write_bytes(random.Random(seed).randbytes(_LARGE))
    (folder / "source.txt").write_text(f"source {seed}\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    lines = ["[remote]", f'endpoint = "{endpoint}"', f"properties = {as_toml(STANDARD)}", "queue = 30"]
    for name, build in _BUILDS.items():
        lines += [f"[artifacts.{name}]", f"build = {json.dumps(build)}", 'outputs = ["out"]', f"timeout = {timeout}"]
    (folder / "ftc.toml").write_text("\n".join(lines) + "\n")


def run_session(folder: Path, server: Server, kind: str, inject: Callable[[], int], *, diagnose: bool = True) -> Faulty:
    """Run a session, call `inject` again and again until it ends, and judge what came of it.

    `inject` does some faults and returns how many; 0 if it has done enough, a negative number if it waits.
    """
    found, report = Faulty(kind), folder / "report.json"
    process = start(folder, report, "--ftc-diagnose=full" if diagnose else "--ftc-diagnose=off")
    started = time.monotonic()
    done = False
    while process.poll() is None and time.monotonic() < started + _BOUND:
        if not done:
            more = inject()
            found.faults += max(0, more)
            done = not more
        time.sleep(0.05)
    found.seconds = time.monotonic() - started
    if process.poll() is None:
        found.problems.append("it did not end")
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _judge(found, report, (folder / "said").read_text(errors="replace"))
    check_worker(found, server)
    return found


def kill_client(folder: Path, server: Server, after: float) -> Faulty:
    """Kill a session with SIGKILL after some seconds; what it started on the farm has to end by itself."""
    found = Faulty("client killed", faults=1)
    process = start(folder, folder / "report.json", "--ftc-diagnose=off")
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    check_worker(found, server)
    return found


def start(folder: Path, report: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a session on the farm of the project in `folder`."""
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-executor=reapi", f"--ftc-json={report}"]
    own = folder.with_name(f"{folder.name}-own")
    (own / "tmp").mkdir(parents=True, exist_ok=True)
    with open(folder / "said", "wb") as said:
        return subprocess.Popen(
            [*command, "-p", "no:hypothesispytest", *options, "ftc.toml"],
            cwd=folder,
            env={**os.environ, "FTC_STORE": str(own / "store"), "TMPDIR": str(own / "tmp"), "COLUMNS": "160"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def check_worker(found: Faulty, server: Server) -> None:
    """Note what still runs on the worker when every build has had its time."""
    if not all_ended(server, 60.0):
        found.problems.append(f"on the worker runs {describe_processes(server.actions())}")


def _judge(found: Faulty, report: Path, said: str) -> None:
    if "Traceback" in said:
        found.problems.append(f"a traceback:\n{said[-3000:]}")
    if not report.exists():
        if "rror" not in said:
            found.problems.append(f"neither a report nor an error:\n{said[-2000:]}")
        found.verdicts = dict.fromkeys(TRUTH, "no report")
        return
    for artifact in json.loads(report.read_text())["artifacts"]:
        name, verdict = artifact["name"], artifact["verdict"]
        found.verdicts[name] = verdict
        excuse = verdict == "reproducible" and _NEEDS.get(name, set()) & explained(artifact)
        if verdict not in (TRUTH[name], "error") and not excuse:
            found.problems.append(f"{name} is {verdict}: {artifact.get('reason')}")
        if verdict == "error" and not artifact.get("reason"):
            found.problems.append(f"{name} has an error without a reason")
