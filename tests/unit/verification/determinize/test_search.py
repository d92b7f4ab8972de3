"""Which steps are kept: those that help, and go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_ftc.model import Artifact, Evidence, Finding, Remedy, Verdict, Verification
from pytest_ftc.verification.determinize import Step
from pytest_ftc.verification.determinize.determinize import _determinize

APP = Artifact(id="ftc.toml::ftc::app", name="app", build="make", outputs=("out",), source=Path("/s"))


def finding(
    place: str, variable: str, cause: str = "time", *, proved: bool = True, tried: bool = False, confirmed: bool = True
) -> Finding:
    remedy = Remedy(summary=variable, settings={variable: "1"} if variable else {}, proved=proved, tried=tried)
    evidence = Evidence(control="a", experiment="b")
    return Finding(
        output="out", member="", location=place, cause=cause, confirmed=confirmed, evidence=evidence, remedy=remedy
    )


class Trials:
    """Verifies by a function of the names of the variables that are set: its findings, or why the build fails."""

    artifact = APP

    def __init__(self, build: Callable[[frozenset[str]], list[Finding] | str]) -> None:
        self._build = build
        self.seen: list[frozenset[str]] = []

    def verify(self, steps: tuple[Step, ...], *_: object) -> Verification:
        names = frozenset(step.name for step in steps)
        self.seen.append(names)
        found = self._build(names)
        verdict = (
            Verdict.FAILED if isinstance(found, str) else Verdict.UNREPRODUCIBLE if found else Verdict.REPRODUCIBLE
        )
        findings = () if isinstance(found, str) else tuple(found)
        reason = found if isinstance(found, str) else ""
        return Verification(id=APP.id, name="app", verdict=verdict, reason=reason, findings=findings)


def search(build: Callable[[frozenset[str]], list[Finding] | str]) -> Mapping[str, object]:
    trials = Trials(build)
    outcome = _determinize(trials, trials.verify(()), "artifacts.app")  # type: ignore[arg-type]
    return {
        "steps": [step.name for step in outcome.steps],
        "heals": outcome.heals,
        "left": [(one.location, one.cause) for one in outcome.left],
        "breaking": [(step.name, why) for step, why in outcome.breaking],
        "failure": outcome.failure,
    }


def test_what_is_not_needed_is_left_out_again() -> None:
    def build(names: frozenset[str]) -> list[Finding]:
        return [] if "B" in names else [finding("1", "A"), finding("2", "B")]

    assert search(build) == {"steps": ["B"], "heals": True, "left": [], "breaking": [], "failure": ""}


def test_remedies_of_what_another_one_hid_are_found_in_a_further_round() -> None:
    def build(names: frozenset[str]) -> list[Finding]:
        if "A" not in names:
            return [finding("1", "A")]
        return [] if "B" in names else [finding("2", "B")]

    assert search(build) == {"steps": ["A", "B"], "heals": True, "left": [], "breaking": [], "failure": ""}


def test_what_helps_in_part_is_kept_and_what_has_no_cure_is_left() -> None:
    def build(names: frozenset[str]) -> list[Finding]:
        return [finding("2", "", "random", proved=False), *([] if "A" in names else [finding("1", "A")])]

    assert search(build)["steps"] == ["A"]
    assert search(build)["left"] == [("2", "random")]


def test_remedies_that_no_diagnosis_has_tested_are_kept_only_where_their_finding_is_gone() -> None:
    def build(names: frozenset[str]) -> list[Finding]:
        vain, random = finding("1", "C", "pid", proved=False), finding("1", "", "random", proved=False)
        return [vain, random, *([] if "A" in names else [finding("1", "A", "hash_seed", proved=False, tried=True)])]

    assert search(build) == {
        "steps": ["A"], "heals": False, "left": [("1", "pid"), ("1", "random")], "breaking": [], "failure": "",
    }  # fmt: skip


def test_one_that_breaks_the_build_together_with_another_is_left_out_and_that_is_said() -> None:
    def build(names: frozenset[str]) -> list[Finding] | str:
        if names >= {"A", "B"}:
            return "exit status 1"
        return [finding(str(number), name) for number, name in enumerate("AB") if name not in names]

    assert search(build) == {
        "steps": ["A"], "heals": False, "left": [("1", "time")], "breaking": [("B", "failed: exit status 1")],
        "failure": "",
    }  # fmt: skip


@pytest.mark.parametrize("confirmed", [(True, True), (True, False), (False, True)])
def test_it_is_known_whether_all_causes_of_all_rounds_were_confirmed(confirmed: tuple[bool, bool]) -> None:
    first, second = confirmed

    def build(names: frozenset[str]) -> list[Finding]:
        if "A" not in names:
            return [finding("1", "A", confirmed=first)]
        return [] if "B" in names else [finding("2", "B", confirmed=second)]

    trials = Trials(build)
    outcome = _determinize(trials, trials.verify(()), "artifacts.app")  # type: ignore[arg-type]
    assert (outcome.heals, outcome.suspected) == (True, not all(confirmed))


def test_a_build_that_fails_is_not_searched() -> None:
    assert search(lambda _: "exit status 3")["failure"] == "app is failed: exit status 3"


def test_nothing_is_tried_without_end() -> None:
    trials = Trials(lambda names: [finding(str(len(names)), f"V{len(names)}")])
    outcome = _determinize(trials, trials.verify(()), "x")  # type: ignore[arg-type]
    assert not outcome.heals
    assert len(trials.seen) < 8
