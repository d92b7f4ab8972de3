"""What finished builds allow to be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Metadata, Output, OutputType, Role, Verdict
from pytest_ftc.verification.judge import compare_builds, judge_builds

ARTIFACT = Artifact(id="a", name="a", build="make", outputs=("out",), source="/project", metadata=Metadata.CONTENT)  # type: ignore[arg-type]


def build(status: BuildStatus = BuildStatus.OK, digest: str = "0", role: Role = Role.EXPERIMENT) -> BuildResult:
    output = Output(path="out", type=OutputType.FILE, mode="0644", size=1, sha256=digest)
    return BuildResult(id="1", role=role, environment={}, status=status, outputs=(output,), reason="no gcc")


@pytest.mark.parametrize(
    ("statuses", "verdict", "reason"),
    [
        (["ok", "ok"], Verdict.REPRODUCIBLE, ""),
        (["ok", "failed"], Verdict.FRAGILE, "it builds in the control environment, but not in a varied one: no gcc"),
        (["failed", "failed"], Verdict.FAILED, "the control build failed: no gcc"),
        (["ok", "lost"], Verdict.ERROR, "the experiment build was lost: no gcc"),
        (["failed", "lost"], Verdict.ERROR, "the experiment build was lost: no gcc"),
        (["ok"], Verdict.ERROR, "1 of 2 builds ran"),
    ],
)
def test_the_verdict_follows_from_how_the_builds_ended(statuses, verdict, reason):
    builds = [build(BuildStatus(status)) for status in statuses]
    assert judge_builds(builds, expected=2, varied=["time"]) == (verdict, reason)


@given(st.lists(st.sampled_from(list(BuildStatus)), min_size=1, max_size=5), st.integers(1, 5), st.booleans())
def test_nothing_is_reproducible_unless_all_builds_ran_and_something_was_varied(statuses, expected, varied):
    verdict, reason = judge_builds([build(status) for status in statuses], expected=expected, varied=["time"] * varied)
    good = set(statuses) == {BuildStatus.OK} and len(statuses) >= expected >= 2 and varied
    assert (verdict is Verdict.REPRODUCIBLE) == good
    assert bool(reason) == (not good)


def test_the_first_experiment_that_differs_is_compared():
    builds = [build(digest=digest) for digest in "0012"]
    (difference,) = compare_builds(ARTIFACT, builds)
    assert difference.experiment and difference.experiment.sha256 == "1"
    assert compare_builds(ARTIFACT, builds[:2]) == ()
    assert compare_builds(ARTIFACT, []) == ()
