"""What the page of a report costs, in seconds and in bytes, where there is much to tell.

    python benchmarks/report.py [FOLDER]

500 findings, all different, and 2,000 builds, in 50 artifacts and in one.  Prints the seconds to make the page,
their ratio to those that json.dumps takes for the same report in the same process, and the size without the diffs.
With FOLDER the pages are written there, to be looked at.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pytest_ftc.model import (
    BuildResult,
    BuildStatus,
    Difference,
    DifferenceKind,
    Evidence,
    Finding,
    NotVaried,
    Output,
    OutputType,
    Remedy,
    Role,
    Verdict,
    Verification,
)
from pytest_ftc.reporting.html.page import to_html
from pytest_ftc.reporting.json_report import report
from pytest_ftc.variations import CATALOGUE

_NAMES = tuple(variation.name for variation in CATALOGUE)
TOOL = {"name": "pytest-ftc", "version": "benchmark"}
SESSION = {
    "started": 1_700_000_000.0,
    "seconds": 1234.5,
    "python": "3.12.0",
    "platform": "Linux-x86_64",
    "root": "/home/user/project",
    "builds": 2,
    "jobs": 8,
    "variations": "all",
}


def _build(name: str, number: int) -> BuildResult:
    role = (
        (Role.CONTROL, Role.EXPERIMENT)[number] if number < 2 else (Role.BISECT, Role.REMEDY, Role.REPEAT)[number % 3]
    )
    environment = {each: f"the value of {each} in build {number} of {name}" for each in _NAMES}
    output = Output(path="dist/app.whl", type=OutputType.FILE, mode="0644", size=70_000, sha256=f"{number:064x}")
    return BuildResult(
        id=f"{name}-{number}",
        role=role,
        environment=environment,
        status=BuildStatus.OK if number % 17 else BuildStatus.FAILED,
        reason="" if number % 17 else "exit status 3",
        started=1_700_000_000.0 + number,
        seconds=0.5 + number % 7,
        outputs=(output,),
        log=f"/home/user/project/ftc-report/logs/{name}-{number}.log",
    )


def _finding(number: int) -> Finding:
    """Return a finding that is folded together with no other."""
    cause = _NAMES[number % len(_NAMES)]
    return Finding(
        output=f"dist/deeply/nested/folder-{number % 23}/file-{number}.kind{number}",
        member=f"package/module_{number}/__init__.py",
        location=f"line {number}",
        cause=cause,
        confirmed=number % 3 > 0,
        evidence=Evidence(
            control=f"built on 2026-11-24 at 21:26:{number % 60:02d} in /build/control/tree-{number}",
            experiment=f"built on 2027-12-27 at 03:11:{number % 60:02d} in /build/experiment/tree-{number}",
        ),
        command=("tool", "--output", f"file-{number}", "--verbose"),
        why=f"it contains the {cause}",
        remedy=Remedy(
            summary=f"set the variable of {cause}",
            settings={"SOURCE_DATE_EPOCH": str(number)},
            proved=number % 2 > 0,
            tried=True,
        ),
    )


def _difference(finding: Finding) -> Difference:
    return Difference(
        output=finding.output,
        kind=DifferenceKind.CONTENT,
        control=None,
        experiment=None,
        member=finding.member,
        location=finding.location,
        evidence=finding.evidence,
    )


def make(artifacts: int, findings: int = 500, builds: int = 2000) -> list[Verification]:
    """Return verifications of so many unreproducible `artifacts` that have so many findings and builds in all."""
    made = []
    for index in range(artifacts):
        name = f"artifact-{index}"
        own = [_finding(number) for number in range(index, findings, artifacts)]
        made.append(
            Verification(
                id=f"pyproject.toml::ftc::{name}",
                name=name,
                verdict=Verdict.UNREPRODUCIBLE,
                varied=_NAMES[:-1],
                not_varied=(NotVaried(variation=_NAMES[-1], reason="namespaces are refused here"),),
                builds=tuple(_build(name, number) for number in range(builds // artifacts)),
                findings=tuple(own),
                differences=tuple(map(_difference, own)),
                seconds=30.0,
            )
        )
    return made


def _seconds(act: Callable[[], Any]) -> float:
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for artifacts in (50, 1):
        made = make(artifacts)
        document = report(made, TOOL, SESSION)
        plain = _seconds(partial(json.dumps, document))
        page = _seconds(partial(to_html, made, TOOL, SESSION))
        text = to_html(made, TOOL, SESSION)
        size = len(text.encode())
        print(
            f"{artifacts} artifacts, 500 findings, 2,000 builds: page in {page:.3f} s, "
            f"json.dumps in {plain:.3f} s, ratio {page / plain:.1f}, {size / 1e6:.2f} MB"
        )
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"page-{artifacts}.html").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
