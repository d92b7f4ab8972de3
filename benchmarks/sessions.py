"""What whole sessions cost beside the bare work, as ratios in one run; nothing else should run meanwhile.

    python benchmarks/sessions.py [builds|outputs|quick|unchanged] [RUNS]

- builds: five kinds of build of some seconds, each as two bare builds side by side and as a session that
  reuses no verdict; medians of RUNS;
- outputs: the same for one output of 1 GB, with ``sha256sum`` of both bare ones, and the peak of our resident memory;
- quick: ``echo``, with a gap in real time and without one, beside an empty session of pytest;
- unchanged: sessions of 100 and of 1,000 artifacts whose verdicts are all reused, beside an empty session of pytest.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Hypothesis imports itself at the end of each session, and belongs to our tests, not to users'."""
KINDS = {
    "make and gcc": ("make -s", "app"),
    "tar and xz": ("tar c --sort=name --mtime=@0 --mode=0644 --owner=0 --group=0 data | xz -T1 -6 > out.xz", "out.xz"),
    "sort": ("for i in 1 2 3 4 5 6 7 8; do sort -n data/numbers > out.txt; done", "out.txt"),
    "Python": ("python3 work.py > out.txt", "out.txt"),
    "gzip": ("for i in 1 2 3; do gzip -9 -n -c data/numbers > out.gz; done", "out.gz"),
}


def run(folder: Path, *command: str, **more: str) -> float:
    """Return the seconds that `command` takes in `folder`."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env={**ENVIRONMENT, **more}, capture_output=True, text=True)
    taken = time.perf_counter() - begin
    # 5: pytest has found no test.
    assert done.returncode in (0, 5), done.stdout + done.stderr
    return taken


def side_by_side(folder: Path, command: str) -> float:
    """Return the seconds of two builds that run at the same time, in copies of `folder` that are made before."""
    copies = [folder.parent / f"copy-{number}" for number in range(2)]
    for copy in copies:
        shutil.copytree(folder, copy)
    begin = time.perf_counter()
    running = [subprocess.Popen(["sh", "-c", command], cwd=copy, env=ENVIRONMENT) for copy in copies]
    assert not any(process.wait() for process in running)
    taken = time.perf_counter() - begin
    for copy in copies:
        shutil.rmtree(copy)
    return taken


def make_source(folder: Path) -> None:
    """Fill `folder` with what the kinds of build need."""
    (folder / "data").mkdir(parents=True)
    numbers = "".join(f"{number * 7919 % 1000003}\n" for number in range(1_500_000))
    (folder / "data/numbers").write_text(numbers)
    (folder / "work.py").write_text("print(sum(number % 7 for number in range(60_000_000)))\n")
    names = [f"part{number}" for number in range(40)]
    for name in names:
        functions = (
            f"double {name}_{each}(double x) {{ for (int i = 0; i < 9; i++) x = x * {each}.5 + i; return x; }}\n"
            for each in range(600)
        )
        (folder / f"{name}.c").write_text("".join(functions))
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    objects = " ".join(f"{name}.o" for name in ("main", *names))
    (folder / "Makefile").write_text(f"app: {objects}\n\tcc -o app {objects}\n%.o: %.c\n\tcc -O1 -c $<\n")


def declare(folder: Path, command: str, output: str) -> None:
    (folder / "ftc.toml").write_text(
        f"[artifacts.it]\nbuild = {json.dumps(command)}\noutputs = [{json.dumps(output)}]\n"
    )


def verify(folder: Path, store: Path, *options: str) -> float:
    return run(folder, *PYTEST, "--ftc-verify", *options, "ftc.toml", FTC_STORE=str(store))


def compare(name: str, ours: list[float], bare: list[float], gap: bool) -> None:
    mine, other = statistics.median(ours), statistics.median(bare)
    waited = 2.1 if gap else 0.0
    print(
        f"{name}: {mine:.2f} s, two bare builds side by side {other:.2f} s: {mine / other:.3f}"
        + f", without the gap of {waited} s {(mine - waited) / other:.3f}" * gap,
        flush=True,
    )


def was_apart(report: Path) -> bool:
    """Return whether a gap in real time was needed."""
    builds = json.loads(report.read_text())["artifacts"][0]["builds"]
    return not any(build.get("no_gap") for build in builds)


def measure(folder: Path, name: str, command: str, output: str, *, then: str = "", runs: int) -> None:
    """Measure one kind of build: `then` is what the bare builds do with their output."""
    store, report = folder.parent / "store", folder.parent / "report.json"
    declare(folder, command, output)
    verify(folder, store)
    ours, bare = [], []
    for _ in range(runs):
        ours.append(verify(folder, store, f"--ftc-json={report}", "--ftc-diagnose=off", "--ftc-no-cache"))
        bare.append(side_by_side(folder, command + then))
    compare(name, ours, bare, was_apart(report))


def builds(folder: Path, runs: int) -> None:
    make_source(folder)
    for name, (command, output) in KINDS.items():
        measure(folder, name, command, output, runs=runs)


def outputs(folder: Path, runs: int) -> None:
    folder.mkdir()
    command = "head -c 1000000000 /dev/zero | tr '\\0' x > out"
    measure(folder, "output of 1 GB", command, "out", then=" && sha256sum out > digest", runs=runs)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"peak of resident memory of any process: {peak / 1024:.0f} MB")


def quick(folder: Path, runs: int) -> None:
    folder.mkdir()
    empty = statistics.median(run(folder, *PYTEST, "-p", "no:ftc") for _ in range(runs))
    for name, command in (("without a gap", "echo hi > o"), ("with a gap", "echo hi > a; ar rcD o a")):
        declare(folder, command, "o")
        store = folder.parent / f"store of {name}"
        verify(folder, store)
        taken = statistics.median(verify(folder, store, "--ftc-no-cache") for _ in range(runs))
        print(f"{command}, {name}: {taken:.2f} s, {taken / empty:.1f} of an empty session of pytest ({empty:.2f} s)")


def unchanged(folder: Path, runs: int) -> None:
    folder.mkdir()
    empty = statistics.median(run(folder, *PYTEST, "-p", "no:ftc") for _ in range(runs))
    for count in (100, 1000):
        tables = (f'[artifacts.a{number}]\nbuild = "echo {number} > o"\noutputs = ["o"]\n' for number in range(count))
        (folder / "ftc.toml").write_text("".join(tables))
        store = folder.parent / f"store of {count}"
        verify(folder, store)
        taken = statistics.median(verify(folder, store) for _ in range(runs))
        print(f"{count} unchanged: {taken - empty:.2f} s beyond an empty session of pytest ({empty:.2f} s)", flush=True)


MEASURES: dict[str, Callable[[Path, int], None]] = {
    "builds": builds, "outputs": outputs, "quick": quick, "unchanged": unchanged,
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    asked = [name for name in sys.argv[1:] if name in MEASURES] or list(MEASURES)
    runs = next((int(word) for word in sys.argv[1:] if word.isdigit()), 5)
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            MEASURES[name](Path(folder) / "source", runs)


if __name__ == "__main__":
    main()
