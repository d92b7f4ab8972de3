"""How well differences are found and explained: a labelled corpus of builds is verified, and the reports are scored.

    python benchmarks/diagnosis.py [--corpus FILE] [--only PATTERN] [--json OUT] [--jobs N] [--with-reprotest]
    python benchmarks/diagnosis.py --check-labels [--corpus FILE] [--only PATTERN]

Prints a table of detection, false alarms, cause accuracy, builds, proved remedies, places, culprits and seconds, then
a line for everything that is not as labelled.  corpus.py tells the form of a corpus, labels.py how its labels are
checked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from corpus import Case, Trial, find_missing, lay_out, load_corpus
from labels import check_labels
from peer import run_reprotest
from score import Score, find_misses, score, summarise

CORPUS = Path(__file__).parent / "corpus.jsonl"

GOALS = {
    "detected": ("detection by two builds", None),
    "cause": ("cause right at first place", 0.95),
    "remedies": ("remedy proved, where a setting exists", 0.8),
    "places": ("place right, where it is known", 0.9),
    "culprits": ("culprit right, where a command wrote", 0.9),
    "confirmed": ("cause confirmed", None),
    "detected_sometimes": ("detection of what shows only sometimes", None),
}
_EACH_CAUSE = 0.8
_MOST_BUILDS = 4
_QUICK = 6
"""Builds that a quick artifact gets by default, each with other values."""
_PERSISTENT = 12
"""Builds that find nearly all of what shows one time in three."""


def verify(trials: Sequence[Trial], jobs: int, builds: int = 2, diagnose: str = "off") -> dict[str, dict[str, Any]]:
    """Verify all `trials` in one session of pytest and return the artifacts of its report by name."""
    with tempfile.TemporaryDirectory(prefix="diagnosis-") as folder:
        project = Path(folder, "project")
        project.mkdir()
        lay_out(trials, project)
        report = Path(folder, "report.json")
        # Its own store: another would answer from its cache, and find builds that differ in its history.
        own = [f"--ftc-json={report}", f"--ftc-store={folder}/store"]
        limits = [f"--ftc-jobs={jobs}", f"--ftc-builds={builds}", f"--ftc-diagnose={diagnose}"]
        options = [*own, *limits, "-q", "--no-header", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", "--ftc-verify", *options]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        if not report.exists():
            sys.exit(f"the session wrote no report:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        document = json.loads(report.read_text(encoding="utf-8"))
    return {artifact["name"]: artifact for artifact in document["artifacts"]}


def print_table(figures: dict[str, Any], seconds: float) -> None:
    """Print the figures beside what is aimed at."""
    print(f"{figures['cases']} cases in {seconds:.0f} s on {os.cpu_count()} CPUs\n")
    for key, (label, goal) in GOALS.items():
        print(_row(label, _show_share(figures[key]), f">= {goal:.0%}" if goal else "", _reaches(figures[key], goal)))
    print(_row("false alarms", figures["false_alarms"], "0", figures["false_alarms"] == 0))
    print(_row("failed, fragile or error", figures["other_verdicts"], "0", figures["other_verdicts"] == 0))
    most = figures["median_builds_to_one_cause"]
    is_reached = most is not None and most <= _MOST_BUILDS
    print(_row("builds to a confirmed cause, the only one (median)", most, f"<= {_MOST_BUILDS}", is_reached))
    print(_row("builds to a confirmed cause (median)", figures["median_builds_to_cause"]))
    print(_row("builds in all (median)", figures["median_builds"]))
    recall = figures["cause_recall_of_several"]
    print(_row("recall, where there are several causes", "-" if recall is None else f"{recall:.0%}"))
    print(_row("seconds a case (median)", figures["median_seconds"]))
    print("\ncause right at first place, by cause")
    for cause, counted in figures["per_cause"].items():
        print(_row(f"  {cause}", _show_share(counted), f">= {_EACH_CAUSE:.0%}", _reaches(counted, _EACH_CAUSE)))


def print_more_builds(scores: Sequence[Score], jobs: int) -> None:
    """Print how many cases more builds find, and many builds those that differ only sometimes."""
    always = [one for one in scores if one.case.causes and not one.case.sometimes]
    left = [one.case for one in always if not one.detected]
    found = len(always) - len(left) + _count_found(left, jobs, _QUICK)
    shares: list[tuple[str, int, int, float | None]] = [(f"detection by {_QUICK} builds", found, len(always), 1.0)]
    sometimes = [one.case for one in scores if one.case.sometimes]
    found = _count_found(sometimes, jobs, _PERSISTENT)
    shares.append((f"what shows only sometimes, {_PERSISTENT} builds", found, len(sometimes), None))
    print()
    for label, some, count, goal in shares:
        share = (some, count) if count else None
        print(_row(label, _show_share(share), f">= {goal:.0%}" if goal else "", _reaches(share, goal)))


def _count_found(cases: Sequence[Case], jobs: int, builds: int) -> int:
    artifacts = verify([Trial(name=case.id, case=case) for case in cases], jobs, builds) if cases else {}
    return sum(one["verdict"] == "unreproducible" for one in artifacts.values())


def _row(label: str, value: object, goal: str = "", reached: bool | None = None) -> str:
    told = "" if reached is None or not goal else "ok" if reached else "NOT REACHED"
    return f"{label:<42} {'-' if value is None else value!s:>16}  {goal:>8}  {told}".rstrip()


def _show_share(counted: tuple[int, int] | None) -> str | None:
    return f"{counted[0] / counted[1]:.0%} ({counted[0]}/{counted[1]})" if counted else None


def _reaches(counted: tuple[int, int] | None, goal: float | None) -> bool | None:
    if goal is None:
        return None
    return counted is not None and counted[0] / counted[1] >= goal


def choose(path: Path, pattern: str) -> list[Case]:
    """Return the cases of the corpus `path` whose id matches `pattern` and that this machine can build."""
    cases = [case for case in load_corpus(path) if fnmatchcase(case.id, pattern)]
    chosen = []
    for case in cases:
        missing = find_missing(case)
        if missing:
            print(f"left out: {case.id} needs {' '.join(missing)}")
        else:
            chosen.append(case)
    return chosen or sys.exit(f"no case of {path} matches {pattern!r} and can be built here")


def describe(one: Score) -> dict[str, Any]:
    """Return a score as JSON values."""
    names = [name for name in Score.__dataclass_fields__ if name != "case"]
    return {"id": one.case.id, **{name: getattr(one, name) for name in names}}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS, metavar="FILE", help="another corpus in the same form")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="a glob of ids")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write figures and scores to a file")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), metavar="N", help="builds at once")
    parser.add_argument("--with-reprotest", action="store_true", help="run reprotest on the same cases")
    parser.add_argument("--check-labels", action="store_true", help="check the labels by experiment instead")
    options = parser.parse_args()
    cases = choose(options.corpus, options.only)
    begin = time.monotonic()
    if options.check_labels:
        wrong = list(check_labels(cases, lambda trials: verify(trials, options.jobs)))
        print("\n".join(wrong))
        print(f"{len(cases)} cases checked in {time.monotonic() - begin:.0f} s, {len(wrong)} labels do not hold")
        sys.exit(bool(wrong))
    artifacts = verify([Trial(name=case.id, case=case) for case in cases], options.jobs, diagnose="full")
    scores = [score(case, artifacts[case.id]) for case in cases]
    figures = summarise(scores)
    print_table(figures, time.monotonic() - begin)
    print_more_builds(scores, options.jobs)
    misses = list(find_misses(scores))
    print(f"\n{len(misses)} cases are not as labelled", *misses, sep="\n  ")
    peer = run_reprotest(cases) if options.with_reprotest else None
    if options.json:
        values = {"figures": figures, "scores": [describe(one) for one in scores], "reprotest": peer}
        options.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
