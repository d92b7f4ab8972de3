"""The simulation of the farm against sessions on this machine: two jobs in place of two workers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from farm_simulation import Costs, Draws, Scenario, simulate

JOBS = 2
SIZES = (1, 12, 40)


def measure(seconds: list[float]) -> float:
    """Return how long a session takes whose artifacts build for so many seconds each."""
    with tempfile.TemporaryDirectory(prefix="farm-") as folder:
        project = Path(folder, "project")
        (project / "source").mkdir(parents=True)
        (project / "source" / "text").write_text("text\n")
        tables = [
            f'[artifacts.a{number}]\nsource = "source"\n'
            f'build = "sleep {one:.3f}; cp text out-{number}"\noutputs = ["out-*"]\n'
            for number, one in enumerate(seconds)
        ]
        (project / "ftc.toml").write_text("".join(tables))
        asked = ["--ftc-verify", "--ftc-no-cache", "--ftc-diagnose=off", "--ftc-builds=2", f"--ftc-jobs={JOBS}"]
        command = [
            sys.executable,
            "-m",
            "pytest",
            *asked,
            f"--ftc-store={folder}/store",
            "-q",
            "-p",
            "no:cacheprovider",
        ]
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        taken = time.perf_counter() - begin
        if f"{len(seconds)} passed" not in done.stdout:
            sys.exit(f"the session failed:\n{done.stdout}{done.stderr}")
        return taken


def local(costs: Costs) -> Costs:
    """Return `costs` of a session without a farm, whose builds take as long as they are asked to."""
    alone = replace(costs, server=0.0, client_call=0.0, output_mb=0.0, source_mb=0.0)
    return replace(alone, stragglers=0.0, spread_of_one=0.0, mismatches=0.0, open=16 * JOBS)


def print_validation(costs: Costs) -> None:
    """Print what is predicted and what is measured."""
    costs = local(replace(costs, median_build=0.5, spread_of_builds=0.6))
    print(f"\nthis machine, {JOBS} jobs, without a farm")
    for artifacts in SIZES:
        usual = [Draws(costs, 0, number).usual for number in range(artifacts)]
        predicted = simulate(costs, Scenario(artifacts=artifacts, workers=JOBS)).makespan
        measured = measure(usual)
        print(
            f"{artifacts:>4} artifacts, median build {statistics.median(usual):.2f} s: predicted {predicted:.1f} s, "
            f"measured {measured:.1f} s, ratio {predicted / measured:.2f}"
        )
