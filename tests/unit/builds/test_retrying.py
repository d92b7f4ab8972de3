"""Which failures are a fault around the build, and trying those again."""

import threading
from dataclasses import replace

import pytest

from pytest_ftc.builds.retrying import Patience, RetryingExecutor
from pytest_ftc.builds.transient_faults import ENDED, UNWANTED, why_transient
from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Role
from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace

SOON = Patience(retries=2, first_wait=0.001)


def result(status=BuildStatus.FAILED, exit_code=1, log="", reason="exit status 1"):
    return BuildResult(
        id="app-control", role=Role.CONTROL, environment={}, status=status, exit_code=exit_code, reason=reason, log_tail=log
    )  # fmt: skip


OK = result(BuildStatus.OK, 0, reason="")
FULL = result(log="cp: error writing 'x': No space left on device")
OWN = result(log="error: expected ';'")


@pytest.mark.parametrize(
    ("build", "network", "fetches", "transient"),
    [
        (OK, True, True, False),
        (OWN, True, True, False),
        (FULL, False, False, True),
        (result(exit_code=-9), False, False, True),
        (result(exit_code=137), False, False, True),
        (result(exit_code=139), False, False, False),
        (result(exit_code=2, log="as: Cannot allocate memory"), False, False, True),
        (result(log="read: Input/output error"), False, False, True),
        (result(log="curl: (6) Could not resolve host: a.example"), True, False, True),
        (result(log="curl: (6) Could not resolve host: a.example"), False, False, False),
        (result(log="Connection reset by peer"), True, False, True),
        (result(log="HTTP Error 503: Service Unavailable"), True, True, True),
        (result(log="HTTP Error 503: Service Unavailable"), True, False, False),
        (result(log="HTTP Error 404: Not Found"), True, True, False),
        (result(log="429 tests passed, 1 failed"), True, True, False),
        (result(BuildStatus.TIMEOUT, None, "Killed"), True, True, False),
        (result(BuildStatus.LOST, None, reason="the launcher died"), False, False, True),
        (result(BuildStatus.LOST, None, reason=ENDED), False, False, False),
        (result(BuildStatus.LOST, None, reason=UNWANTED), False, False, False),
        (result(exit_code=0, reason="it left no output"), True, True, False),
    ],
)
def test_a_fault_around_the_build_is_told_from_its_own_failure(build, network, fetches, transient):
    assert (why_transient(build, network=network, fetches=fetches) is not None) == transient


class Scripted:
    """Gives the results it was told to, one after the other, the last one for ever."""

    def __init__(self, *results):
        self.results = list(results)
        self.ids = []

    def run(self, action, started, may_start=None):
        self.ids.append(action.id)
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]

    def cancel(self):
        self.results = [result(BuildStatus.LOST, None, reason=ENDED)]


@pytest.fixture
def act(tmp_path):
    return Action(
        id="app-control",
        role=Role.CONTROL,
        command=("true",),
        snapshot=tmp_path,
        environment=Environment(build_path="/b", home="/h", temp_dir="/t"),
        described={},
        outputs=("out",),
        timeout=1,
    )


def test_what_passes_at_the_third_attempt_is_ok_and_flaky(act):
    inner = Scripted(FULL, FULL, OK)
    final = RetryingExecutor(inner, SOON).run(act, lambda _: None)
    assert (final.status, final.attempts, len(final.failed_before)) == (BuildStatus.OK, 3, 2)
    assert inner.ids == ["app-control", "app-control-attempt-2", "app-control-attempt-3"]
    assert final.id == "app-control"


def test_a_failure_of_its_own_is_not_tried_again(act):
    inner = Scripted(OWN, OK)
    assert RetryingExecutor(inner, SOON).run(act, lambda _: None).status is BuildStatus.FAILED
    assert len(inner.ids) == 1


def test_there_are_no_more_attempts_than_allowed(act):
    inner = Scripted(FULL)
    final = RetryingExecutor(inner, SOON).run(act, lambda _: None)
    assert (final.status, final.attempts, len(inner.ids)) == (BuildStatus.FAILED, 3, 3)


def test_none_are_allowed_with_no_retries(act):
    inner = Scripted(FULL, OK)
    RetryingExecutor(inner, Patience(retries=0)).run(act, lambda _: None)
    assert len(inner.ids) == 1


def test_a_session_has_one_budget_for_all_builds(act):
    inner = Scripted(FULL)
    executor = RetryingExecutor(inner, Patience(retries=5, budget=3, first_wait=0.001))
    for _ in range(4):
        executor.run(act, lambda _: None)
    assert len(inner.ids) == 4 + 3


def test_cancelling_ends_the_wait_for_another_attempt(act):
    inner = Scripted(FULL)
    executor = RetryingExecutor(inner, Patience(retries=2, first_wait=1000, longest_wait=1000))
    thread = threading.Thread(target=executor.run, args=(act, lambda _: None))
    thread.start()
    executor.cancel()
    thread.join(20)
    assert not thread.is_alive()


def test_a_build_is_a_phase_with_its_attempts(act):
    inner = Scripted(FULL, replace(OK, queue_seconds=1.5, worker="w-7"))
    collector = Collector(start_trace({}))
    with collector.collecting() as phases:
        final = RetryingExecutor(inner, SOON).run(act, lambda _: None)
    first, second, build = phases
    assert [one.kind for one in phases] == [PhaseKind.ATTEMPT, PhaseKind.ATTEMPT, PhaseKind.BUILD]
    assert {first.parent, second.parent} == {build.id}
    assert (first.problem, second.problem, build.problem) == ("failed", "", "")
    assert (build.attributes["role"], build.attributes["attempts"], build.attributes["worker"]) == ("control", 2, "w-7")
    assert (first.attributes["exit_code"], build.attributes["exit_code"]) == (1, 0)
    assert final.queue_seconds == build.attributes["queue_seconds"] == 1.5


@pytest.mark.parametrize(
    ("reason", "said"),
    [(UNWANTED, ""), (ENDED, ENDED), ("the launcher said: the value of a secret", "lost")],
)
def test_a_phase_quotes_nobody(act, reason, said):
    lost = result(BuildStatus.LOST, None, reason=reason)
    with Collector(start_trace({})).collecting() as phases:
        RetryingExecutor(Scripted(lost), Patience(retries=0)).run(act, lambda _: None)
    assert [one.problem for one in phases] == [said, said]
