"""No fault ever becomes ``reproducible``."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import (
    Action,
    Artifact,
    BuildResult,
    BuildStatus,
    Isolation,
    Machine,
    Output,
    OutputType,
    Role,
    Snapshot,
    Verdict,
)
from pytest_ftc.model.errors import FtcError, PreparationError, SourceError
from pytest_ftc.model.protocols import MayStart, at_once
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.judge import judge_builds
from pytest_ftc.verification.site import BuildSite
from pytest_ftc.verification.steps import apart
from pytest_ftc.verification.steps.context import VerificationContext
from pytest_ftc.verification.verify import build_once, verify

ARTIFACT = Artifact(id="ftc.toml::ftc::app", name="app", build="make", outputs=("out",), source=Path("/project"))
SNAPSHOT = Snapshot(path=Path("/s"), git_dir=None, git_link=None, commit_time=None)


def result(status: BuildStatus, role: Role = Role.CONTROL, digest: str = "0", **more: object) -> BuildResult:
    outputs = (Output(path="out", type=OutputType.FILE, mode="0644", size=1, sha256=digest * 64),)
    return BuildResult(
        id=role.value,
        role=role,
        environment={},
        status=status,
        outputs=outputs if status is BuildStatus.OK else (),
        **more,
    )  # type: ignore[arg-type]


statuses = st.lists(st.sampled_from(BuildStatus), min_size=1, max_size=4)


@given(statuses, st.integers(1, 4), st.lists(st.sampled_from(["time", "umask"]), unique=True))
def test_only_builds_that_all_ran_under_a_variation_may_be_compared(found, expected, varied):
    builds = [result(status) for status in found]
    verdict, reason = judge_builds(builds, expected=expected, varied=varied)
    may_compare = set(found) == {BuildStatus.OK} and len(found) >= expected >= 2 and bool(varied)
    assert (verdict is Verdict.REPRODUCIBLE) == may_compare
    assert bool(reason) != may_compare
    if BuildStatus.LOST in found:
        assert verdict is Verdict.ERROR


class Scripted:
    """An executor that gives results made up beforehand; what it stands for cannot be provoked on demand."""

    def __init__(self, *results: BuildResult | Exception) -> None:
        self.results = list(results)

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        started(0.0)
        answer = self.results.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self) -> None: ...


def context(executor: Scripted, **changes: object) -> VerificationContext:
    site: dict[str, object] = {
        "machine": Machine(isolation=Isolation.USER, faketime="/f", locales=("C", "C.UTF-8")),
        "folder": Path("/w"),
        "path": ("/bin",),
        "environ": changes.pop("environ", {}),
        "executor": executor,
        "capture": changes.pop("capture", lambda _: SNAPSHOT),
        "prepare": changes.pop("prepare", lambda artifact, _: Prepared(artifact=artifact)),
    }
    arguments: dict[str, object] = {
        "site": BuildSite(**site),  # type: ignore[arg-type]
        "select": lambda _: CATALOGUE,
        "builds": 2,
        "scratch": Path("/w"),
        "trace": False,
        "diagnose": "off",
        "max_builds": 12,
        **changes,
    }
    return VerificationContext(**arguments)  # type: ignore[arg-type]


def refuse(error: Exception) -> Callable[..., None]:
    def raise_it(*_: object) -> None:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"capture": refuse(SourceError("cannot read the source"))}, "cannot read the source"),
        ({"prepare": refuse(PreparationError("no network"))}, "no network"),
        (
            {"capture": refuse(OSError(errno.ENOSPC, "No space left on device", "/w/a"))},
            "/w/a: No space left on device on this machine\nFree space",
        ),
        ({"capture": refuse(ValueError("a bug"))}, "internal error, please report it: ValueError: a bug"),
        ({"executor": Scripted(RuntimeError("a bug"), RuntimeError("a bug"))}, "internal error"),
        (
            {"executor": Scripted(result(BuildStatus.LOST, reason="worker died"))},
            "the control build was lost: worker died",
        ),
        ({"select": lambda _: ()}, "nothing was verified"),
    ],
)
@pytest.mark.usefixtures("no_gap")
def test_a_fault_is_an_error(changes, reason):
    executor = Scripted(result(BuildStatus.OK), result(BuildStatus.OK, Role.EXPERIMENT))
    found = verify(ARTIFACT, context(executor, **{key: value for key, value in changes.items() if key != "executor"}))
    if "executor" in changes:
        found = verify(ARTIFACT, context(changes["executor"]))
    assert found.verdict is Verdict.ERROR
    assert reason in found.reason
    assert bool(found.notes) == ("internal error" in reason)


@pytest.mark.parametrize("error", [PreparationError("cannot reach tok3n-value@host"), ValueError("b'tok3n-va'")])
def test_a_fault_shows_no_secret(error):
    secret = replace(ARTIFACT, secrets=("env:TOKEN",))
    given = context(Scripted(), prepare=refuse(error), environ={"TOKEN": "tok3n-value"})
    found = verify(secret, given)
    assert found.verdict is Verdict.ERROR
    assert "***" in found.reason
    assert "tok3n-va" not in str(found)
    with pytest.raises((FtcError, ValueError)) as raised:
        build_once(secret, given)
    assert isinstance(error, ValueError) or "tok3n-va" not in str(raised.value)


@pytest.fixture
def no_gap(monkeypatch):
    monkeypatch.setattr(apart, "REAL_GAP", 0.0)


@pytest.mark.usefixtures("no_gap")
def test_what_a_launcher_could_not_apply_is_not_claimed(tmp_path):
    (tmp_path / ("0" * 64)).write_text("x")
    experiment = result(BuildStatus.OK, Role.EXPERIMENT, not_applied={"fileordering": "no luck"})
    found = verify(ARTIFACT, context(Scripted(result(BuildStatus.OK, blobs=str(tmp_path)), experiment)))
    assert found.verdict is Verdict.REPRODUCIBLE
    assert "fileordering" not in found.varied
    assert ("fileordering", "no luck") in [(entry.variation, entry.reason) for entry in found.not_varied]


@pytest.mark.usefixtures("no_gap")
def test_nothing_is_claimed_when_nothing_could_be_applied():
    experiment = result(BuildStatus.OK, Role.EXPERIMENT, not_applied={"fileordering": "no luck"})
    only = [variation for variation in CATALOGUE if variation.name == "fileordering"]
    found = verify(ARTIFACT, context(Scripted(result(BuildStatus.OK), experiment), select=lambda _: only))
    assert found.verdict is Verdict.ERROR
