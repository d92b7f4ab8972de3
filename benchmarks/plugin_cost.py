"""What the plugin costs where it is not asked to do anything: an empty suite with it, and without it.

    python benchmarks/plugin_cost.py [PAIRS]

Prints the median of the paired differences in milliseconds, and the ratio of the medians.
"""

from __future__ import annotations

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


def main() -> None:
    """Measure and print."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_nothing(): pass\n")
        run(folder)
        with_plugin, without = [], []
        for _ in range(pairs):
            with_plugin.append(run(folder))
            without.append(run(folder, "-p", "no:ftc"))
    difference = statistics.median(a - b for a, b in zip(with_plugin, without, strict=True))
    ratio = statistics.median(with_plugin) / statistics.median(without)
    print(f"{pairs} pairs: {difference * 1000:+.1f} ms per session, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
