"""Verifications in the background: each artifact once, and again only where that may change something."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Role, Verdict, Verification
from pytest_ftc.model.timing.collector import Collector, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace
from pytest_ftc.verification.scheduler import Background

ONE = Artifact(id="a", name="a", build="make", outputs=("x",), source=Path("/"))


def build(status: BuildStatus, role: Role = Role.CONTROL) -> BuildResult:
    reason = "" if status is BuildStatus.OK else "exit status 3"
    return BuildResult(id="a", role=role, environment={}, status=status, reason=reason)


def answer(verdict: Verdict, status: BuildStatus = BuildStatus.OK) -> Verification:
    return Verification(id="a", name="a", verdict=verdict, reason="why", builds=(build(status),))


class Answers:
    """Verifies with the given answers, one after the other."""

    def __init__(self, *answers: Verification) -> None:
        self.left = list(answers)
        self.asked: list[Artifact] = []

    def __call__(self, artifact: Artifact) -> Verification:
        self.asked.append(artifact)
        return self.left.pop(0)


@pytest.mark.parametrize("verdict", [Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE])
def test_a_fact_is_not_looked_into_again(verdict):
    answers = Answers(answer(verdict))
    background = Background(answers, lambda: None)
    assert [background.result(ONE).verdict for _ in range(3)] == [verdict] * 3
    background.close()
    assert answers.asked == [ONE]


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.FRAGILE, Verdict.ERROR])
def test_who_asks_again_has_it_verified_again_where_nothing_was_settled(verdict):
    background = Background(Answers(answer(verdict), answer(Verdict.REPRODUCIBLE)), lambda: None)
    background.start([ONE])
    background.start([ONE])
    assert background.result(ONE).verdict is verdict
    again = background.result(ONE)
    background.close()
    assert again.verdict is Verdict.REPRODUCIBLE
    assert again.notes == (f"verified again; the first verdict was {verdict.value}: why",)


def test_what_failed_first_and_then_passes_is_flaky():
    first = answer(Verdict.FAILED, BuildStatus.FAILED)
    background = Background(Answers(first, answer(Verdict.REPRODUCIBLE)), lambda: None)
    background.result(ONE)
    told = background.result(ONE).flaky
    background.close()
    assert told == ("flaky: the control build failed once (exit status 3), then passed unchanged",)


def test_an_artifact_that_is_declared_otherwise_is_another_one():
    answers = Answers(answer(Verdict.REPRODUCIBLE), answer(Verdict.UNREPRODUCIBLE))
    background = Background(answers, lambda: None)
    other = replace(ONE, build="make all")
    assert background.result(ONE).verdict is Verdict.REPRODUCIBLE
    again = background.result(other)
    background.close()
    assert (again.verdict, again.notes) == (Verdict.UNREPRODUCIBLE, ())
    assert answers.asked == [ONE, other]


def test_it_tells_what_is_open():
    go = threading.Event()

    def verify(_: Artifact) -> Verification:
        go.wait()
        return answer(Verdict.REPRODUCIBLE)

    background = Background(verify, go.set)
    seen = []

    def waiting() -> None:
        seen.append(background.open)
        go.set()

    background.result(ONE, waiting)
    assert seen[0] == ((ONE, True),)
    assert background.open == ()
    background.close()


def test_each_verification_has_its_own_phases_and_the_time_in_the_queue():
    def verify(artifact: Artifact) -> Verification:
        with timing().phase(PhaseKind.PLAN, artifact.name):
            return replace(answer(Verdict.REPRODUCIBLE), id=artifact.id)

    collector = Collector(start_trace({}))
    background = Background(verify, lambda: None, at_once=1, collector=collector)
    others = [replace(ONE, id=name, name=name) for name in "bcd"]
    background.start(others)
    verifications = [background.result(one) for one in others]
    background.close()
    assert {one.trace_id for one in verifications} == {collector.context.trace_id}
    found = {one.id: one.phases for one in verifications}
    for name, phases in found.items():
        assert [(one.kind, one.name) for one in phases] == [(PhaseKind.QUEUE, name), (PhaseKind.PLAN, name)]
        assert {one.parent for one in phases} == {collector.context.session_span}
        queue, plan = phases
        assert queue.started + queue.seconds <= plan.started + 0.01
