"""``--ftc-executor=reapi``: builds on a farm, with the verdicts that they have on this machine."""

import json
from pathlib import Path

import pytest
from services.reapi_servers import STANDARD

ARTIFACTS = """
[artifacts.good]
build = "cat source.txt > out; test -x tool.sh; ./tool.sh >> out"
outputs = ["out"]
[artifacts.curious]
build = "cat /*.json /source/* /source/.??* > out 2> /dev/null; test ! -s out"
outputs = ["out"]
[artifacts.clock]
build = "date > out"
outputs = ["out"]
[artifacts.path]
build = "pwd > out"
outputs = ["out"]
[artifacts.archive]
build = "tar cf out.tar source.txt"
outputs = ["out.tar"]
[artifacts.broken]
build = "echo why; exit 3"
outputs = ["out"]
[artifacts.lacks]
build = ["no-such-tool"]
outputs = ["out"]
[artifacts.slow]
build = "sleep 60"
outputs = ["out"]
timeout = 1
[artifacts.secret]
build = "echo $TOKEN > out"
outputs = ["out"]
secrets = ["env:TOKEN"]
"""


@pytest.fixture(scope="module")
def remote(running_casd, tmp_path_factory):
    """A report of a session on a farm, by artifact, with what the session said."""
    import os
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("remote") / "project"
    folder.mkdir()
    properties = ", ".join(f'{name} = "{value}"' for name, value in STANDARD.items())
    remote = f'[remote]\nendpoint = "grpc://{running_casd.target}"\nproperties = {{{properties}}}\n'
    (folder / "ftc.toml").write_text(remote + ARTIFACTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "source.txt").write_text("source\n")
    (folder / "tool.sh").write_text("#!/bin/sh\necho tool\n")
    (folder / "tool.sh").chmod(0o750)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-executor=reapi", "--ftc-json=report.json", "ftc.toml"],
        cwd=folder,
        env={**os.environ, "TOKEN": "t0ken-of-test", "FTC_STORE": str(folder.parent / "store"), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    report = json.loads((folder / "report.json").read_text())
    return {artifact["name"]: artifact for artifact in report["artifacts"]}, done.stdout


def causes(artifact):
    return {(finding["cause"], finding["confirmed"]) for finding in artifact["findings"]}


def test_verdicts_are_those_of_this_machine(remote):
    artifacts, said = remote
    assert {name: artifact["verdict"] for name, artifact in artifacts.items()} == {
        "good": "reproducible",
        "curious": "reproducible",
        "clock": "unreproducible",
        "path": "unreproducible",
        "archive": "unreproducible",
        "broken": "failed",
        "lacks": "failed",
        "slow": "failed",
        "secret": "error",
    }, said


def test_causes_are_confirmed_by_more_builds(remote):
    artifacts, said = remote
    assert ("time", True) in causes(artifacts["clock"]), said
    assert causes(artifacts["path"]) == {("build_path", True)}
    assert ("source_mtime", True) in causes(artifacts["archive"])


def test_both_outputs_are_fetched_and_kept(remote):
    artifacts, said = remote
    assert artifacts["path"]["kept"], said
    (output,) = {finding["output"] for finding in artifacts["path"]["findings"]}
    contents = {Path(folder, output).read_bytes() for folder in artifacts["path"]["kept"].values()}
    assert len(contents) == 2


def test_a_remedy_is_proved_on_the_farm(remote):
    artifacts, said = remote
    assert any(finding["remedy"]["proved"] for finding in artifacts["archive"]["findings"]), said


def test_what_is_varied_was_seen_on_the_worker(remote):
    artifacts, said = remote
    varied = set(artifacts["good"]["varied"])
    assert {"time", "build_path", "umask", "locales", "hash_seed", "source_mtime"} <= varied, said
    reasons = {entry["variation"]: entry["reason"] for entry in artifacts["good"]["not_varied"]}
    assert all(reasons.values())
    assert set(reasons) == {"pid", "network"}, said  # no new /proc, and no route to other machines
    assert "filesystem" in varied


def test_the_cpu_time_of_a_worker_is_said(remote):
    artifacts, said = remote
    builds = [build for name in ("good", "slow") for build in artifacts[name]["builds"]]
    assert builds
    assert all(0 < build["cpu_seconds"] < 60 for build in builds), said


def test_the_time_on_the_farm_and_in_its_queue_is_said(remote):
    artifacts, _ = remote
    phases = {one["id"]: one for one in artifacts["good"]["phases"]}
    executed = [one for one in phases.values() if one["kind"] == "execute"]
    assert len(executed) == len(artifacts["good"]["builds"])
    for one in executed:
        attempt = phases[one["parent"]]
        assert (attempt["kind"], phases[attempt["parent"]]["kind"]) == ("attempt", "build")
        assert one["attributes"]["executions"] >= 1
        (queue,) = (inner for inner in phases.values() if inner["parent"] == one["id"])
        assert queue["kind"] == "queue"
        assert queue["seconds"] <= one["seconds"]
    for build in artifacts["good"]["builds"]:
        (phase,) = (one for one in phases.values() if (one["kind"], one["name"]) == ("build", build["id"]))
        assert 0 <= build["queue_seconds"] < phase["seconds"]


def test_failures_say_why(remote):
    said = remote[1]
    assert "exit status 3" in said
    assert "command not found: no-such-tool" in said
    assert "still running after 1 s" in said
    assert "it uses secrets, which do not leave this machine" in said
    assert "t0ken-of-test" not in said


def test_without_a_farm_there_is_one_clear_error(pytester, monkeypatch):
    pytester.makefile(".toml", ftc='[artifacts.a]\nbuild = "true"\noutputs = ["o"]\n')
    done = pytester.runpytest_subprocess("--ftc-verify", "--ftc-executor=reapi", "ftc.toml")
    done.stderr.fnmatch_lines(["*expected a farm in [[]tool.ftc.remote[]], found no such table*"])
    assert "Traceback" not in done.stderr.str()
