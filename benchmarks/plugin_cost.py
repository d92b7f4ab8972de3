"""What the plugin costs where it is not asked to do anything: an empty suite with it, and without it.

    python benchmarks/plugin_cost.py [PAIRS]

Prints the median of the paired differences in milliseconds with its 95 % interval, and the ratio of the medians.  The
two of a pair take turns in going first.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Without bytecode every run would compile the plugin, and all others, anew."""


def run(folder: Path, *arguments: str) -> float:
    """Return the seconds that one run of pytest takes."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def median_interval(count: int) -> tuple[int, int]:
    """Return the ranks of the values between which the median of `count` values lies with a probability of 95 %.

    Source: the sign test; the number of values below the median is binomial.
    """
    half = 0.98 * math.sqrt(count)
    return max(0, math.floor(count / 2 - half)), min(count - 1, math.ceil(count / 2 + half))


def main() -> None:
    """Measure and print."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_nothing(): pass\n")
        run(folder)
        runs: dict[tuple[str, ...], list[float]] = {(): [], ("-p", "no:ftc"): []}
        for pair in range(pairs):
            for arguments in sorted(runs, reverse=pair % 2 == 1):
                runs[arguments].append(run(folder, *arguments))
    with_plugin, without = runs.values()
    differences = sorted(1000 * (a - b) for a, b in zip(with_plugin, without, strict=True))
    low, high = median_interval(pairs)
    ratio = statistics.median(with_plugin) / statistics.median(without)
    print(
        f"{pairs} pairs: {statistics.median(differences):+.1f} ms per session "
        f"(95 %: {differences[low]:+.1f} to {differences[high]:+.1f}), ratio {ratio:.3f}"
    )


if __name__ == "__main__":
    main()
