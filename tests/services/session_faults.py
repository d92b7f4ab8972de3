"""Whole sessions on a real farm with faults, and whether their verdicts are right."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.farm_faults import Server, all_ended, describe_processes
from services.parity import as_toml, explained
from services.reapi_servers import STANDARD

from pytest_ftc.cli.store import verify as verify_store
from pytest_ftc.model.errors import FtcError

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
    "large": "date +%s%N > out; cat large.bin >> out",
    "broken": "exit 3",
}
FEW = ("good", "large", "broken")
"""Artifacts of a short session; the first two take a moment."""
_NEEDS = {"path": {"build_path"}}
"""What must be varied for an artifact to differ."""
LARGE = 5 << 20
"""Bytes of the source, and of the output ``large``."""
_BOUND = 900.0
"""Seconds within which a session has to end, whatever happens: its survey may take 270 s, and each build 300 s."""
_GOING = 10.0
"""Seconds within which the processes of a session that ended are gone."""


@dataclass
class Faulty:
    """One session that had faults."""

    kind: str
    faults: int = 0
    seconds: float = 0.0
    verdicts: dict[str, str] = field(default_factory=dict)
    said: str = ""
    """The end of what it printed."""
    problems: list[str] = field(default_factory=list)
    """What should never be: a wrong verdict, no end, a traceback, an error without a reason, something that is left."""


def write_project(
    folder: Path, endpoint: str, seed: int, *, timeout: int = 15, artifacts: Sequence[str] = (), more: str = ""
) -> None:
    """Write a project whose verdicts are `TRUTH`, with all artifacts or some; `more` is for the table of the farm.

    `timeout` is that of each build, in seconds.  With some artifacts, the session is short: only the umask varies.
    """
    folder.mkdir(parents=True)
    (folder / "large.bin").write_bytes(random.Random(seed).randbytes(LARGE))
    (folder / "source.txt").write_text(f"source {seed}\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    lines = ['variations = "umask"', "builds = 2"] if artifacts else []
    lines += ["[remote]", f'endpoint = "{endpoint}"', f"properties = {as_toml(STANDARD)}", "queue = 30", more]
    for name in artifacts or _BUILDS:
        lines += [f"[artifacts.{name}]", f"build = {json.dumps(_BUILDS[name])}", 'outputs = ["out"]']
        lines += [f"timeout = {timeout}"]
    (folder / "ftc.toml").write_text("\n".join(lines) + "\n")


def run_session(
    folder: Path,
    server: Server,
    kind: str,
    inject: Callable[[], int],
    *,
    diagnose: bool = True,
    options: Sequence[str] = ("--ftc-executor=reapi",),
    prefix: Sequence[str] = (),
) -> Faulty:
    """Run a session, call `inject` again and again until it ends, and judge what came of it.

    `inject` does some faults and returns how many; 0 if it has done enough, a negative number if it waits.
    `prefix` is the beginning of its command.
    """
    found, report = Faulty(kind), folder / "report.json"
    report.unlink(missing_ok=True)
    process = start(
        folder, report, "--ftc-diagnose=full" if diagnose else "--ftc-diagnose=off", *options, prefix=prefix
    )
    started = time.monotonic()
    done = False
    while process.poll() is None and time.monotonic() < started + _BOUND:
        if not done:
            more = inject()
            found.faults += max(0, more)
            done = not more
        time.sleep(0.02)
    found.seconds = time.monotonic() - started
    if process.poll() is None:
        found.problems.append(f"late: it did not end:\n{(folder / 'said').read_text(errors='replace')[-2000:]}")
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    said = (folder / "said").read_text(errors="replace")
    found.said = said[-2000:]
    judge_report(found, report, said)
    check_worker(found, server)
    check_client(found, folder)
    return found


def kill_client(folder: Path, server: Server, moment: Callable[[], bool]) -> Faulty:
    """Kill a session with SIGKILL once `moment` returns true; what it started on the farm has to end by itself."""
    found = Faulty("client killed")
    process = start(folder, folder / "report.json", "--ftc-diagnose=off", "--ftc-executor=reapi")
    while process.poll() is None and not moment():
        time.sleep(0.01)
    found.faults = int(process.poll() is None)
    # It alone: what it started has to notice.
    process.kill()
    process.wait()
    check_worker(found, server)
    _check_processes(found, folder)
    return found


def own_folder(folder: Path) -> Path:
    """Return the folder that has the temporary files and the store of the sessions of the project in `folder`."""
    return folder.with_name(f"{folder.name}-own")


def start(folder: Path, report: Path, *options: str, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a session of the project in `folder`."""
    command = [*prefix, sys.executable, "-m", "pytest", "--ftc-verify", f"--ftc-json={report}"]
    own = own_folder(folder)
    (own / "tmp").mkdir(parents=True, exist_ok=True)
    with open(folder / "said", "wb") as said:
        return subprocess.Popen(
            [*command, "-p", "no:hypothesispytest", *options, "ftc.toml"],
            cwd=folder,
            env={**os.environ, **_environ(own)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def check_worker(found: Faulty, server: Server) -> None:
    """Note what still runs on the worker when every build has had its time."""
    if not all_ended(server, 60.0):
        found.problems.append(f"left over: on the worker runs {describe_processes(server.actions())}")


def check_client(found: Faulty, folder: Path) -> None:
    """Note what a session that ended has left on this machine, and what is wrong with its store."""
    _check_processes(found, folder)
    own = own_folder(folder)
    if left := sorted(path.name for path in (own / "tmp").glob("pytest-ftc-*")):
        found.problems.append(f"left over: in the temporary folder {left}")
    if (own / "store").exists():
        try:
            sound = verify_store(own / "store")
        except FtcError as error:
            found.problems.append(f"wrong: the store: {error}")
            return
        if sound.corrupt or sound.refused or sound.history:
            found.problems.append(f"wrong: the store is not sound: {sound}")


def _check_processes(found: Faulty, folder: Path) -> None:
    """Note processes that a session left, also its launchers, which all know its temporary folder."""
    end = time.monotonic() + _GOING
    while left := _processes_of(own_folder(folder)):
        if time.monotonic() > end:
            found.problems.append(f"left over: here runs {describe_processes(left)}")
            return
        time.sleep(0.05)


def _processes_of(own: Path) -> list[int]:
    found = []
    for process in os.listdir("/proc"):
        try:
            words = Path("/proc", process, "environ").read_bytes() + Path("/proc", process, "cmdline").read_bytes()
        except OSError:
            continue
        if process.isdigit() and os.fsencode(own) in words:
            found.append(int(process))
    return found


def _environ(own: Path) -> Mapping[str, str]:
    return {"FTC_STORE": str(own / "store"), "TMPDIR": str(own / "tmp"), "COLUMNS": "160"}


def judge_report(found: Faulty, report: Path, said: str) -> None:
    """Note the verdicts of a report, and what is wrong with them or with what the session `said`."""
    if "Traceback" in said:
        found.problems.append(f"wrong: a traceback:\n{said[-3000:]}")
    if not report.exists():
        if "error" not in said.lower():
            found.problems.append(f"wrong: neither a report nor an error:\n{said[-2000:]}")
        return
    for artifact in json.loads(report.read_text())["artifacts"]:
        name, verdict = artifact["name"], artifact["verdict"]
        found.verdicts[name] = verdict
        excuse = verdict == "reproducible" and _NEEDS.get(name, set()) & explained(artifact)
        if verdict not in (TRUTH[name], "error") and not excuse:
            found.problems.append(f"wrong: {name} is {verdict}: {artifact.get('reason')}")
        if verdict == "error" and not artifact.get("reason"):
            found.problems.append(f"wrong: {name} has an error without a reason")
