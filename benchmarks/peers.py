"""Side by side with Debian's reprotest on the same ten fixtures: who detects what, in what time.

    apt-get install reprotest disorderfs faketime
    python benchmarks/peers.py

reprotest runs with every variation that it can apply here: each is tried on a build that does nothing, and those that
fail or that it says it ignores are left out and named.  Both use the same diffoscope, and verify one fixture after the
other, each from a fresh copy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).parent.parent / "fixtures"
CHOSEN = (
    "tar-keeps-mtimes",
    "tar-in-readdir-order",
    "tar-keeps-umask",
    "embeds-timestamp",
    "embeds-build-path",
    "json-of-set",
    "embeds-random-bytes",
    "compiled-debug-paths",
    "tar-with-fixed-metadata",
    "concatenated-in-sorted-order",
)
VARIATIONS = (
    "environment", "build_path", "user_group", "fileordering", "home", "kernel", "locales", "exec_path", "num_cpus",
    "time", "timezone", "umask", "domain_host", "aslr",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a tool says of a fixture."""

    verdict: str
    seconds: float
    lines: int
    """Printed."""


def main() -> None:
    """Measure and print."""
    if not shutil.which("reprotest"):
        sys.exit("reprotest is not installed; Debian has it: apt-get install reprotest disorderfs faketime")
    expected = tomllib.loads((FIXTURES / "expected.toml").read_text())
    able, unable = find_variations()
    print(f"reprotest applies here: {', '.join(able)}")
    for name, reason in unable.items():
        print(f"  not {name}: {reason}")
    print(f"\n{'fixture':<30} {'truth':<15} {'pytest-ftc':<15} {'s':>5}  {'reprotest':<15} {'s':>5}  ratio")
    rows = []
    for name in CHOSEN:
        ours, theirs = verify_by_us(name), verify_by_reprotest(name, able)
        truth = expected[name]["verdict"]
        rows.append((truth, ours, theirs))
        cells = (f"{answer.verdict:<15} {answer.seconds:5.1f}" for answer in (ours, theirs))
        print(f"{name:<30} {truth:<15} {'  '.join(cells)}  {ours.seconds / theirs.seconds:5.2f}")
    print()
    for tool, answers in (("pytest-ftc", [(t, o) for t, o, _ in rows]), ("reprotest", [(t, r) for t, _, r in rows])):
        bad = [answer for truth, answer in answers if truth == "unreproducible"]
        good = [answer for truth, answer in answers if truth == "reproducible"]
        found = [answer for answer in bad if answer.verdict == "unreproducible"]
        false = sum(answer.verdict == "unreproducible" for answer in good)
        lines = f", lines printed for one: {statistics.median(answer.lines for answer in found):.0f}" if found else ""
        print(f"{tool}: detects {len(found)} of {len(bad)}, false alarms {false} of {len(good)}{lines}")
    print(f"median ratio of wall time: {statistics.median(o.seconds / r.seconds for _, o, r in rows):.2f}")


def find_variations() -> tuple[list[str], dict[str, str]]:
    """Return the variations that reprotest applies on this machine, and of the others why not."""
    able, unable = [], {}
    for name in VARIATIONS:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "source").mkdir()
            done = run_reprotest(Path(folder, "source"), "echo > out", "out", [name])
        lines = done.stdout.strip().splitlines()
        said = next((line for line in lines if f"IGNORING {name}" in line or "Not using sudo" in line), "")
        if done.returncode:
            unable[name] = (lines or ["it printed nothing"])[-1][:100]
        elif said:
            unable[name] = re.sub(r"^WARNING:[\w.]*:", "", said)[:100]
        else:
            able.append(name)
    return able, unable


def verify_by_us(name: str) -> Answer:
    """Run pytest --ftc-verify on a copy of the fixture."""
    with tempfile.TemporaryDirectory() as folder:
        project, report = Path(folder, name), Path(folder, "report.json")
        shutil.copytree(FIXTURES / name, project, symlinks=True)
        begin = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "--ftc-verify", f"--ftc-json={report}", f"--rootdir={project}"]
        command += [f"--ftc-store={Path(folder, 'store')}"]  # nothing is remembered from earlier runs
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        artifacts = json.loads(report.read_text())["artifacts"] if report.exists() else [{"verdict": "no report"}]
    return Answer(artifacts[0]["verdict"], seconds, len(done.stdout.splitlines()))


def verify_by_reprotest(name: str, variations: Sequence[str]) -> Answer:
    """Run reprotest on a copy of the fixture."""
    (artifact,) = tomllib.loads((FIXTURES / name / "ftc.toml").read_text())["artifacts"].values()
    settings = " ".join(f"{key}={value}" for key, value in artifact.get("env", {}).items())
    build = artifact["build"] if isinstance(artifact["build"], str) else " ".join(artifact["build"])
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, name)
        shutil.copytree(FIXTURES / name, project, symlinks=True)
        (project / "ftc.toml").unlink()
        begin = time.perf_counter()
        command = f"export {settings}; {build}" if settings else build
        done = run_reprotest(project, command, artifact["outputs"][0], variations)
        seconds = time.perf_counter() - begin
    verdicts = {0: "reproducible", 1: "unreproducible"}
    return Answer(verdicts.get(done.returncode, "failed to run"), seconds, len(done.stdout.splitlines()))


def run_reprotest(source: Path, build: str, output: str, variations: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run reprotest; its status is 0 or 1 when it has an answer."""
    chosen = ",".join(["-all", *(f"+{name}" for name in variations)])
    return subprocess.run(
        ["reprotest", f"--variations={chosen}", "-s", str(source), build, output],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env={**os.environ, "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))},
    )


if __name__ == "__main__":
    main()
