"""The counts of faults of farms hide nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from services.farm_faults import Outcome
from services.fault_counts import Counts
from services.fault_kinds import Found, count
from services.session_faults import Faulty, judge_report

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from remote_faults import report, run_part


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ("right", Counts(faults=1, right=1)),
        ("error: TransientError", Counts(faults=1, errors=1)),
        ("OTHER CONTENT", Counts(faults=1, wrong=1)),
        ("TRACEBACK OF VALUEERROR", Counts(faults=1, wrong=1)),
        ("NO REASON", Counts(faults=1, wrong=1)),
        ("THE PHASE NEVER CAME: right", Counts(faults=1, wrong=1)),
        ("THE FAULT FAILED: no file", Counts(faults=1, wrong=1)),
        ("TOO LATE", Counts(faults=1, late=1)),
        ("SOMETHING RUNS ON: 123", Counts(faults=1, left=1)),
    ],
)
def test_each_end_of_a_trial_is_counted_as_what_it_is(ended: str, expected: Counts) -> None:
    found = count(Outcome("kind", "queued", ended, 2.0))
    numbers = ("faults", "right", "errors", "wrong", "late", "left")
    assert [getattr(found, name) for name in numbers] == [getattr(expected, name) for name in numbers]
    assert len(found.problems) == expected.wrong + expected.late + expected.left


def test_a_fault_that_was_not_done_is_not_counted() -> None:
    found = count(Outcome("kind", "downloading", "error: TransientError", 2.0, done=False))
    assert (found.faults, found.errors, found.problems) == (0, 1, [])


@pytest.mark.parametrize("problem", ["wrong: good is unreproducible", "late: it did not end", "left over: 123"])
def test_one_problem_makes_the_benchmark_fail(problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    bad = Counts(faults=1)
    bad.note(problem)

    def part() -> Found:
        yield "kind", Counts(faults=2, right=2)
        yield "kind", bad

    found: dict[str, Counts] = {}
    run_part("farm", part, found)
    assert problem in capsys.readouterr().err
    assert report({"farm": found}, 1.0) == 1
    assert "3 faults" in capsys.readouterr().out


def test_no_problem_makes_it_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"kind": Counts(faults=2, right=1, errors=1)}
    assert report({"casd": found, "buildgrid": found}, 1.0) == 0
    assert "wrong verdicts and contents   0\nunbounded                     0\nleft over                     0\n" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("verdicts", "said", "problem"),
    [
        ({"good": "reproducible", "large": "unreproducible", "broken": "failed"}, "", ""),
        ({"good": "error", "large": "error", "broken": "error"}, "", ""),
        ({"good": "unreproducible"}, "", "wrong: good is unreproducible: why"),
        ({"good": "failed"}, "", "wrong: good is failed: why"),
        ({"large": "reproducible"}, "", "wrong: large is reproducible: why"),
        ({"broken": "reproducible"}, "", "wrong: broken is reproducible: why"),
        ({}, "Traceback (most recent call last)", "wrong: a traceback"),
        (None, "ERROR: no farm", ""),
        (None, "nothing", "wrong: neither a report nor an error"),
    ],
)
def test_a_wrong_verdict_is_a_problem(tmp_path: Path, verdicts: dict[str, str] | None, said: str, problem: str) -> None:
    report = tmp_path / "report.json"
    if verdicts is not None:
        artifacts = [{"name": name, "verdict": verdict, "reason": "why"} for name, verdict in verdicts.items()]
        report.write_text(json.dumps({"artifacts": [{**artifact, "not_varied": []} for artifact in artifacts]}))
    found = Faulty("kind")
    judge_report(found, report, said)
    assert found.verdicts == (verdicts or {})
    assert [each.startswith(problem) for each in found.problems] == ([True] if problem else [])
