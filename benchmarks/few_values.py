"""How often a random output of few values gets a wrong cause or a remedy that is none, run through the product.

``few_values.py N`` lays out N artifacts (400 by default), a fifth of each kind: one of two, three, four and ten values,
and one of two of which one comes one time in three.  Each draws from the kernel, so nothing that is varied is a cause.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KINDS: Mapping[str, str] = {
    "two": "os.urandom(1)[0] % 2",
    "third": "'odd' if os.urandom(1)[0] < 85 else 'even'",
    "three": "int.from_bytes(os.urandom(4), 'big') % 3",
    "four": "os.urandom(1)[0] % 4",
    "ten": "int.from_bytes(os.urandom(4), 'big') % 10",
}
_GOAL = 0.005
_RIGHT = frozenset({"random"})


def lay_out(project: Path, count: int) -> None:
    """Write a project of `count` artifacts."""
    tables = []
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        tables.append(
            f"[artifacts.{kind}-{number}]\n"
            f"""build = ["python3", "-c", '''import os; open("o", "w").write(str({KINDS[kind]}))''']\n"""
            'outputs = ["o"]\n'
        )
    (project / "ftc.toml").write_text("\n".join(tables), encoding="utf-8")


def verify(project: Path, jobs: int) -> list[dict[str, Any]]:
    """Verify all artifacts of `project` and return what the report says of them."""
    report = project.parent / "report.json"
    own = [f"--ftc-json={report}", f"--ftc-store={project.parent / 'store'}"]
    options = [*own, f"--ftc-jobs={jobs}", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "--ftc-verify", *options]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    if not report.exists():
        sys.exit(f"the session wrote no report:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    artifacts: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["artifacts"]
    return artifacts


def judge(artifact: Mapping[str, Any]) -> str:
    """Return in one word what became of an artifact."""
    if artifact["verdict"] != "unreproducible":
        return str(artifact["verdict"])
    findings = artifact["findings"]
    if any(finding["confirmed"] and finding["cause"] not in _RIGHT for finding in findings):
        return "wrong confirmed"
    if any((finding["remedy"] or {}).get("proved") for finding in findings):
        return "wrong proved"
    return "confirmed" if any(finding["confirmed"] for finding in findings) else "suspected"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=400, metavar="N", help="how many artifacts")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), metavar="N", help="builds at once")
    options = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="few-values-") as folder:
        project = Path(folder, "project")
        project.mkdir()
        lay_out(project, options.count)
        artifacts = verify(project, options.jobs)
    counted: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for artifact in artifacts:
        word = judge(artifact)
        counted[artifact["name"].partition("-")[0]][word] += 1
        if word.startswith("wrong"):
            told = [(finding["cause"], finding["confirmed"], finding["why"]) for finding in artifact["findings"]]
            print(f"{artifact['name']}: {word}: {told}, {len(artifact['builds'])} builds")
    total = sum(counted.values(), Counter())
    for kind, words in {**counted, "all": total}.items():
        print(f"{kind:<6} {sum(words.values()):>4}  {', '.join(f'{words[word]} {word}' for word in sorted(words))}")
    found = total["confirmed"] + total["suspected"] + total["wrong confirmed"] + total["wrong proved"]
    for word in ("wrong confirmed", "wrong proved"):
        share = total[word] / found if found else 0.0
        reached = "ok" if share <= _GOAL else "NOT REACHED"
        print(f"{word:<16} {total[word]:>3} of {found} ({share:.1%})  goal <= {_GOAL:.1%}  {reached}")
    print(f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
