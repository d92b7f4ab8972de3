"""What `ftc objectives` costs over a long history, as a whole process, beside `python -c pass` in the same run.

    python benchmarks/objectives.py

The history has 100,000 builds of 50 artifacts in 28 days, all of them in the window: 50,000 verifications of two builds
each, and as many verdicts from the cache.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_ftc.model.objectives.observed import SessionObserved, VerificationObserved
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.observations.database import Observations

COUNT, ARTIFACTS, DAYS = 100_000, 50, 28
RUNS = 5
CONFIGURATION = '[cost]\nper_cpu_hour = 0.04\nper_gb = 0.02\ncurrency = "EUR"\n'


def make_history(store: Path, project: Path) -> None:
    """Record sessions of one commit each, in which every artifact was verified."""
    layout, chance, now = Layout(store), random.Random(1), time.time()
    layout.make()
    sessions = COUNT // ARTIFACTS
    rows = []
    for session in range(sessions):
        ended = now - DAYS * 86400 * (1 - (session + 0.5) / sessions)
        rows += [_verify(chance, str(project), session, artifact, ended) for artifact in range(ARTIFACTS)]
    last = SessionObserved(
        project=str(project), ended=now, writes=3 * COUNT, failed_writes=7, signings=COUNT, failed_signings=0
    )
    Observations(layout).add(last, rows)


def _verify(chance: random.Random, project: str, session: int, artifact: int, ended: float) -> VerificationObserved:
    cached, seconds = chance.random() < 0.5, chance.lognormvariate(2, 1)
    return VerificationObserved(
        project=project,
        artifact=f"pyproject.toml::ftc::artifact-{artifact}",
        verdict=chance.choices(["reproducible", "unreproducible", "failed"], [98, 1, 1])[0],
        cached=cached,
        mismatch=chance.random() < 0.0001,
        ended=ended,
        seconds=0.1 if cached else seconds + 2.1,
        build_seconds=None if cached else seconds,
        cpu_seconds=0.0 if cached else 2 * seconds,
        bytes=0 if cached else chance.randrange(1 << 20),
        commit=f"{session:040x}",
        committed=ended - 600 * chance.random(),
    )


def median_seconds(command: list[str], folder: Path) -> float:
    """Return the median wall time of `command`, which must succeed."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        project, store = Path(name, "project").resolve(), Path(name, "store")
        project.mkdir()
        (project / "ftc.toml").write_text(CONFIGURATION)
        command = [sys.executable, "-m", "pytest_ftc", "objectives", "--store", str(store)]
        empty = median_seconds(command, project)
        make_history(store, project)
        print(subprocess.run(command, cwd=project, check=True, stdout=subprocess.PIPE, text=True).stdout)
        nothing, full = median_seconds([sys.executable, "-c", "pass"], project), median_seconds(command, project)
    print(f"python -c pass              {nothing:.2f} s")
    print(f"ftc objectives, no history  {empty:.2f} s  {empty / nothing:5.1f} times that")
    print(f"ftc objectives, {COUNT:,}     {full:.2f} s  {full / nothing:5.1f} times that")


if __name__ == "__main__":
    main()
