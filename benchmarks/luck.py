"""How often an output that depends on chance is called reproducible, and what the extra builds cost.

    python benchmarks/luck.py [ARTIFACTS]

Builds fresh two-element sets of Python, and random outputs with two values, 200 each or ARTIFACTS; and, one at a time,
quick builds with ``--ftc-builds=auto`` and ``--ftc-builds=2``.  Prints the shares and the ratios beside their goals.
"""

from __future__ import annotations

import json
import random
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PAIRS = 5


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name:
        sets, values, quick = (Path(name, one) for one in ("sets", "values", "quick"))
        _report("two-element sets", _share_reproducible(sets, [_set() for _ in range(count)]), 0.03)
        _report("two-valued random outputs", _share_reproducible(values, [_coin() for _ in range(count)]), 0.05)
        for seconds in (0.0, 0.1, 0.3):
            ratio = statistics.median(_ratios(quick / str(seconds), seconds))
            print(f"wall time of a build of {seconds} s: {ratio:.2f} times that with two builds (goal: at most 1.10)")


def _report(what: str, share: float, goal: float) -> None:
    print(f"{what}: {share:.1%} called reproducible (goal: at most {goal:.0%})", flush=True)


def _set() -> str:
    one, other = ("".join(random.choices(string.ascii_lowercase, k=6)) for _ in range(2))
    return f'python3 -c \'print({{"{one}", "{other}"}})\' > out'


def _coin() -> str:
    return "python3 -c 'import random; print(random.randrange(2))' > out"


def _share_reproducible(folder: Path, builds: list[str]) -> float:
    verdicts = _verify(folder, builds)
    assert len(verdicts) == len(builds)
    return verdicts.count("reproducible") / len(builds)


def _ratios(folder: Path, seconds: float) -> Iterator[float]:
    for number in range(_PAIRS):
        taken = []
        for option in ("--ftc-builds=auto", "--ftc-builds=2"):
            begin = time.perf_counter()
            _verify(folder / f"{number}{option}", [f"sleep {seconds}; echo > out"], option)
            taken.append(time.perf_counter() - begin)
        yield taken[0] / taken[1]


def _verify(folder: Path, builds: list[str], *options: str) -> list[str]:
    folder.mkdir(parents=True)
    artifact = "[artifacts.a{}]\nbuild = {}\noutputs = ['out']\n"
    tables = (artifact.format(number, json.dumps(build)) for number, build in enumerate(builds))
    (folder / "ftc.toml").write_text("\n".join(tables))
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", "--ftc-store=store"]
    subprocess.run([*command, *options, "--ftc-json=report.json"], cwd=folder, stdout=subprocess.DEVNULL)
    return [artifact["verdict"] for artifact in json.loads((folder / "report.json").read_text())["artifacts"]]


if __name__ == "__main__":
    main()
