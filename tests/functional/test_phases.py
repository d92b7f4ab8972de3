"""Where the time of a session went: the phases of each artifact, whoever verified it."""

import pytest

PROJECT = """
[artifacts.good]
build = "sleep 0.2; echo x > out"
outputs = ["out"]
source = "src"
[artifacts.bad]
build = "echo $FTC_CANARY > out"
outputs = ["out"]
source = "src"
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def session(verify, project, monkeypatch):
    (project / "src").mkdir()
    (project / "src/code").touch()
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-00f067aa0ba902b7-01")
    return lambda *arguments: verify(PROJECT, "--ftc-builds=2", *arguments)


def check_tree(phases):
    """Check that each phase lies within the one that encloses it, and return the ID that encloses the outermost."""
    by_id = {one["id"]: one for one in phases}
    assert len(by_id) == len(phases)
    for one in phases:
        if outer := by_id.get(one["parent"]):
            assert outer["started"] - 0.05 <= one["started"]
            assert one["started"] + one["seconds"] <= outer["started"] + outer["seconds"] + 0.05
    (session,) = {one["parent"] for one in phases} - by_id.keys()
    return session


def kinds(artifact):
    return {one["kind"] for one in artifact["phases"]}


def test_each_artifact_has_its_phases_and_a_cached_one_only_those_of_this_session(session):
    first = session("--ftc-diagnose=fast")
    good, bad = first.artifact("good"), first.artifact("bad")
    common = {
        "queue", "artifact", "store get", "prepare", "plan", "build", "attempt", "setup", "gap", "compare", "store put",
    }  # fmt: skip
    assert kinds(good) == common
    assert kinds(bad) == {*common, "diagnose"}
    assert check_tree(good["phases"]) == check_tree(bad["phases"])
    builds = [one for one in good["phases"] if one["kind"] == "build"]
    assert [one["name"] for one in builds] == ["good-control", "good-experiment"]
    assert all(one["attributes"]["command_seconds"] >= 0.2 and one["seconds"] >= 0.2 for one in builds)
    (gap,) = (one for one in good["phases"] if one["kind"] == "gap")
    assert 0 < gap["seconds"] < 2.2
    assert all(build["queue_seconds"] >= 0 for build in good["builds"])
    assert first.report["session"]["work"] == {"run": 4, "reused": 0, "retried": 0, "saved_seconds": 0}

    second = session("--ftc-diagnose=fast")
    again = second.artifact("good")
    assert again["cached"]
    assert kinds(again) == {"queue", "artifact", "store get"}
    assert not {one["id"] for one in again["phases"]} & {one["id"] for one in good["phases"]}
    work = second.report["session"]["work"]
    assert (work["run"], work["reused"], work["retried"]) == (0, 4, 0)
    assert 0.4 <= work["saved_seconds"] < 10
    assert "0 run, 4 reused, 0 retried" in second.flat


def test_workers_of_xdist_belong_to_the_trace_of_the_session(session):
    run = session("-n2", "--ftc-no-cache")
    assert run.report["session"]["trace_id"] == TRACE
    roots = {check_tree(artifact["phases"]) for artifact in run.report["artifacts"]}
    assert len(run.report["artifacts"]) == 2
    assert len(roots) == 1
