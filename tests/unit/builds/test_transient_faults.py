"""Faults of the machine or the network, told from those of the build."""

import pytest

from pytest_ftc.builds.transient_faults import ENDED, UNWANTED, why_transient
from pytest_ftc.model import BuildResult, BuildStatus, Role


def failed(code: int = 1, tail: str = "", status: BuildStatus = BuildStatus.FAILED, reason: str = "") -> BuildResult:
    return BuildResult(
        id="1", role=Role.CONTROL, environment={}, status=status, exit_code=code, log_tail=tail, reason=reason
    )


def why(result: BuildResult, *, network: bool = True, fetches: bool = True) -> str | None:
    return why_transient(result, network=network, fetches=fetches)


@pytest.mark.parametrize(
    ("tail", "fault"),
    [
        ("cc1plus: out of memory allocating", "out of memory"),
        ("make: *** [all] Killed", "killed, probably by the out-of-memory killer"),
        ("cp: No space left on device", "no space left on device"),
        ("read: Input/output error", "an input/output error"),
        ("curl: (6) Could not resolve host: x", "a name could not be resolved"),
        ("npm ERR! code ECONNRESET", "a connection was reset"),
        ("HTTP Error 503", "a server was busy or broken"),
        ("curl: (22) The requested URL returned error: 429", "a server was busy or broken"),
    ],
)
def test_what_the_log_ends_with(tail, fault):
    assert why(failed(tail=f"before\n{tail}\nafter")) == fault


@pytest.mark.parametrize("tail", ["error: x.c:5: syntax error", "HTTP Error 404", "500 tests passed", "killed the cat"])
def test_a_fault_of_the_build_itself_is_none(tail):
    assert why(failed(tail=tail)) is None


def test_the_network_counts_only_for_a_build_that_has_one():
    assert why(failed(tail="Could not resolve host"), network=False) is None
    assert why(failed(tail="HTTP Error 503"), fetches=False) is None
    assert why(failed(tail="No space left on device"), network=False, fetches=False)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (-9, "killed by SIGKILL"),
        (137, "one of its commands was killed by SIGKILL"),
        (143, "one of its commands was killed by SIGTERM"),
        (-250, "killed by signal 250"),
        (139, None),
        (127, None),
    ],
)
def test_a_signal_from_outside(code, fault):
    assert why(failed(code)) == fault


@pytest.mark.parametrize(
    ("status", "reason", "fault"),
    [
        (BuildStatus.OK, "", None),
        (BuildStatus.TIMEOUT, "it took longer than 5 s", None),
        (BuildStatus.LOST, "the worker died", "the worker died"),
        (BuildStatus.LOST, ENDED, None),
        (BuildStatus.LOST, UNWANTED, None),
    ],
)
def test_how_the_build_ended(status, reason, fault):
    assert why(failed(0, "No space left on device", status, reason)) == fault


def test_a_build_without_its_outputs_did_not_fail_for_a_transient_reason():
    assert why(failed(0, "No space left on device")) is None
