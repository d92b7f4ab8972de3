"""The scoring of benchmarks/diagnosis.py, and the corpus it reads."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from corpus import Case, load_corpus  # noqa: E402
from score import find_misses, score, summarise  # noqa: E402


def a_case(**values: Any) -> Case:
    plain = {
        "id": "a",
        "files": {},
        "build": "true",
        "outputs": ("out",),
        "verdict": "unreproducible",
        "causes": ("time",),
    }
    return Case(**{**plain, **values})


def an_artifact(
    *findings: dict[str, Any], verdict: str = "unreproducible", roles: str = "control experiment"
) -> dict[str, Any]:
    whole = {"cause": "time", "confirmed": True, "command": ["date"], "remedy": None}
    whole |= {"output": "out", "member": "", "location": "line 1"}
    return {
        "verdict": verdict,
        "seconds": 1.0,
        "builds": [{"role": role} for role in roles.split()],
        "findings": [{**whole, **finding} for finding in findings],
    }


def test_the_first_finding_decides_whether_the_cause_is_right() -> None:
    artifact = an_artifact({"cause": "home"}, {"cause": "time"})
    assert score(a_case(), artifact).right is False
    assert score(a_case(causes=("home", "time")), artifact).recall == 1.0


def test_a_cause_that_is_told_beside_the_right_one_is_a_miss() -> None:
    one = score(a_case(), an_artifact({}, {"cause": "home"}))
    assert list(find_misses([one])) == ["a: also home, expected time"]


def test_builds_for_remedies_do_not_count_towards_the_cause() -> None:
    artifact = an_artifact({}, roles="control experiment bisect remedy remedy")
    assert score(a_case(), artifact).builds_to_cause == 3


def test_an_unconfirmed_cause_has_no_number_of_builds() -> None:
    assert score(a_case(), an_artifact({"confirmed": False})).builds_to_cause is None


@pytest.mark.parametrize(
    ("command", "expected", "right"),
    [
        (["/usr/bin/python3.11", "x.py"], ("python3",), True),
        (["/usr/lib/gcc/x86_64-linux-gnu/12/collect2"], ("gcc",), True),
        (["x86_64-linux-gnu-ar", "rc"], ("ar",), True),
        (["gzip"], ("tar", "gzip"), True),
        (["gzip"], ("tar",), False),
        ([], ("tar",), False),
    ],
)
def test_a_culprit_is_known_by_its_plain_name(command: list[str], expected: tuple[str, ...], right: bool) -> None:
    assert score(a_case(culprit=expected), an_artifact({"command": command})).culprit is right


def test_no_culprit_is_asked_for_where_the_shell_itself_wrote() -> None:
    assert score(a_case(), an_artifact({"command": ["anything"]})).culprit is None


@pytest.mark.parametrize(
    ("expected", "right"), [(("mtime",), True), (("uid", "a.txt"), True), (("uid",), False), ((), None)]
)
def test_the_place_of_the_first_finding_holds_one_of_the_words(expected: tuple[str, ...], right: bool | None) -> None:
    artifact = an_artifact({"member": "a.txt", "location": "tar member mtime"}, {"location": "tar member uid"})
    one = score(a_case(place=expected), artifact)
    assert one.place is right
    assert summarise([one])["places"] == (None if right is None else (int(right), 1))
    assert bool(list(find_misses([one]))) is (right is False)


def test_a_remedy_counts_only_when_proved() -> None:
    case = a_case(remedy={"TZ": "UTC"})
    assert score(case, an_artifact({"remedy": {"proved": False}})).proved is False
    assert score(case, an_artifact({"remedy": {"proved": True}})).proved is True


def test_a_false_alarm_and_a_fault_not_found_are_both_told() -> None:
    sound = score(a_case(id="sound", verdict="reproducible", causes=()), an_artifact({}))
    missed = score(a_case(id="missed"), an_artifact(verdict="reproducible"))
    figures = summarise([sound, missed])
    assert (figures["false_alarms"], figures["detected"]) == (1, (0, 1))
    assert [line.partition(":")[0] for line in find_misses([sound, missed])] == ["sound", "missed"]


def test_what_shows_only_sometimes_is_no_miss_when_it_does_not_show() -> None:
    hidden = score(a_case(sometimes=True, causes=("race",)), an_artifact(verdict="reproducible"))
    assert not list(find_misses([hidden]))
    assert summarise([hidden])["detected"] is None


def test_the_corpus_has_all_it_is_meant_to_have() -> None:
    cases = load_corpus(BENCHMARKS / "corpus.jsonl")
    kinds = Counter(kind for case in cases for kind in _kinds(case))
    assert len(cases) >= 120
    assert (kinds["sound"] >= 25, kinds["several"] >= 20, kinds["sometimes"] >= 10) == (True, True, True)


def _kinds(case: Case) -> list[str]:
    told = {"sound": not case.causes, "several": len(case.causes) > 1, "sometimes": case.sometimes}
    return [name for name, holds in told.items() if holds]


def test_a_misspelt_key_of_a_corpus_ends_in_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps({"id": "a", "verdict": "reproducible", "biuld": "true"}))
    with pytest.raises(SystemExit, match=r"corpus\.jsonl:1: not a case: unknown key 'biuld'"):
        load_corpus(path)
