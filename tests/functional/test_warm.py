"""A store that machines share in a farm: verdicts of one are answers on another, and ``ftc warm`` fetches them before."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from farms import serving

from pytest_ftc.cli.main import main
from pytest_ftc.cli.warm.project import _wait

QUICK = ("--ftc-variations=umask,timezone", "--ftc-builds=2")
ELSEWHERE = "import platform\nplatform.node = lambda: 'elsewhere'\n"


@pytest.fixture
def farm():
    with serving() as farm:
        yield farm


@pytest.fixture
def toml(farm, project, monkeypatch):
    """Two artifacts, and the farm as the store; sessions with ``-p elsewhere`` are those of another machine."""
    monkeypatch.setenv("FTC_STORE_KEY", "0123456789" * 4)
    monkeypatch.setenv("PYTHONPATH", f"{project.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (project.parent / "elsewhere.py").write_text(ELSEWHERE)
    for name in ("one", "two"):
        (project / name).mkdir()
        (project / name / "in").write_text(name)
    artifacts = "".join(
        f'[artifacts.{name}]\nbuild = "cat in > out"\noutputs = ["out"]\nsource = "{name}"\n' for name in ("one", "two")
    )
    return f'variations = "umask,timezone"\nbuilds = 2\n[remote]\nendpoint = "grpc://{farm.target}"\nstore = true\n{artifacts}'  # fmt: skip


def store(project, name):
    return f"--ftc-store={project}-{name}"


def cached(run):
    return [artifact["cached"] for artifact in run.report["artifacts"]]


def test_verdicts_of_one_machine_are_answers_on_another(verify, farm, toml, project):
    first = verify(toml, store(project, "first"))
    assert (first.status, cached(first)) == (0, [False, False])
    assert "2 verdicts: 0 here, 0 in the remote store, 2 in neither" in first.text
    farm.calls.clear()
    again = verify(None, store(project, "second"), "-p", "elsewhere")
    assert (again.status, cached(again)) == (0, [True, True])
    assert again.report["session"]["store"]["remote"] == 2
    assert again.report["session"]["store"]["received"]["contents"] == 0
    assert set(farm.calls) <= {"GetCapabilities", "GetActionResult", "BatchReadBlobs"}
    assert "2 verdicts: 0 here, 2 in the remote store, 0 in neither" in again.text


def test_workers_of_xdist_count_together_and_say_what_is_wrong(verify, farm, toml, project):
    verify(toml, store(project, "first"))
    again = verify(None, store(project, "second"), "-p", "elsewhere", "-n2")
    assert (again.status, cached(again)) == (0, [True, True])
    assert again.report["session"]["store"]["remote"] == 2
    farm.fail("GetActionResult", *["PERMISSION_DENIED"] * 10)
    denied = verify(None, store(project, "third"), "-p", "elsewhere", "-n2", "-k", "one")
    assert denied.text.count("PERMISSION_DENIED") == 1


def test_a_forged_a_lost_and_a_changed_one_are_built_again(verify, farm, toml, project):
    verify(toml, store(project, "first"))
    [one, two] = farm.results.values()
    one.CopyFrom(two)
    again = verify(None, store(project, "second"), "-p", "elsewhere")
    assert sorted(cached(again)) == [False, True]
    assert "1 cached verification(s) were not authentic and were rebuilt" in again.text
    [name] = [name for name, kept in zip(("one", "two"), cached(again), strict=True) if kept]
    (project / name / "in").write_text("changed")
    farm.blobs = {digest: data for digest, data in farm.blobs.items() if b"reproducible" not in data}
    lost = verify(None, store(project, "third"), "-p", "elsewhere")
    assert (lost.status, cached(lost)) == (0, [False, False])


def test_without_the_farm_the_local_store_does(verify, toml, project):
    nobody = toml.replace(toml.partition("grpc://")[2].partition('"')[0], "127.0.0.1:9")
    for expected in (False, True):
        run = verify(nobody, store(project, "first"))
        assert (run.status, cached(run)) == (0, [expected] * 2)
        assert expected or run.text.count("the remote store could not be used") == 1
        assert expected or "not in the remote store: 4 of 4" in run.text


@pytest.fixture
def warm(capsys, project, monkeypatch):
    monkeypatch.setenv("FTC_STORE", f"{project}-warmed")

    def run(*arguments):
        capsys.readouterr()
        status = main(["warm", "--json", *arguments])
        captured = capsys.readouterr()
        return status, {one["artifact"]: one for one in json.loads(captured.out)["artifacts"]} if captured.out else captured.err  # fmt: skip

    return run


def states(found):
    return {name: one["state"] for name, one in found.items()}


def test_the_warmer_fetches_what_the_next_run_needs(verify, farm, toml, project, warm):
    verify(toml, store(project, "first"))
    assert states(warm("--plan")[1]) == {"one": "to fetch", "two": "to fetch"}
    assert states(warm("--plan", "--outputs", "two")[1]) == {"two": "to fetch"}
    status, found = warm("--outputs", "--rate", "20MB/s", "--jitter", "0s")
    assert (status, states(found)) == (0, {"one": "fetched", "two": "fetched"})
    assert [one["contents"] for one in found.values()] == [1, 1]
    assert states(warm("--outputs")[1]) == {"one": "here", "two": "here"}
    farm.calls.clear()
    again = verify(None, "-p", "elsewhere")
    assert cached(again) == [True, True]
    assert set(farm.calls) <= {"GetActionResult"}
    assert again.report["session"]["store"]["received"]["bytes"] == 0


def test_the_warmer_knows_a_commit(verify, farm, toml, project, warm, pytester):
    for words in (["init", "-q"], ["config", "user.email", "e@x"], ["config", "user.name", "n"]):
        pytester.run("git", *words)
    (project / "ftc.toml").write_text(toml)
    (project / ".gitignore").write_text("*.ini\n")
    pytester.run("git", "add", ".")
    pytester.run("git", "commit", "-qm", "one")
    verify(toml, store(project, "first"))
    (project / "one" / "in").write_text("changed")
    assert states(warm("--plan")[1]) == {"one": "not there", "two": "to fetch"}
    assert states(warm("--commit", "HEAD")[1]) == {"one": "fetched", "two": "fetched"}
    assert warm("--commit", "none") == (2, f"ftc: 'none' is not a commit in the repository of {project}\n")


def test_the_warmer_says_what_is_wrong(toml, project, warm, farm):
    (project / "ftc.toml").write_text(toml)
    assert states(warm()[1]) == {"one": "not there", "two": "not there"}
    assert warm("on") == (2, "ftc: there is no artifact 'on'; did you mean 'one'?  Artifacts: one, two\n")
    farm.fail("GetActionResult", *["PERMISSION_DENIED"] * 2)
    status, found = warm()
    assert (status, states(found)) == (1, {"one": "failed", "two": "failed"})
    assert "PERMISSION_DENIED" in found["one"]["reason"]
    (project / "ftc.toml").write_text(toml.replace("[remote]", "[other]").partition("[other]")[0] + toml[toml.index("[artifacts") :])  # fmt: skip
    status, text = warm()
    assert status == 2
    assert "[tool.ftc.remote] is missing" in text or "[remote]" in text


def test_the_start_is_at_random_within_the_jitter():
    slept = []
    waited = {_wait(30.0, slept.append) for _ in range(20)}
    assert len(waited) > 10
    assert all(0 <= seconds <= 30 for seconds in slept)
    assert _wait(0.0, slept.append) == 0


def test_many_sessions_at_once_with_one_empty_store_each(verify, farm, toml, project, pytester):
    """A stampede: none fails, none builds, and each asks once for each verdict."""
    verify(toml, store(project, "first"))
    farm.calls.clear()

    def run(number):
        target = Path(f"{project}-report-{number}.json")
        arguments = ["--ftc-verify", store(project, f"many-{number}"), f"--ftc-json={target}", "-p", "elsewhere", "-q"]
        return pytester.run(sys.executable, "-m", "pytest", *arguments).ret, json.loads(target.read_text())

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(4)))
    assert [status for status, _ in found] == [0] * 4
    assert [one["cached"] for _, report in found for one in report["artifacts"]] == [True] * 8
    assert farm.calls["GetActionResult"] == 8


def test_a_store_that_is_not_used_is_said(verify, toml, project):
    (project / "conftest.py").write_text(
        "from pytest_ftc.store.cas import LocalStore\n"
        f"def pytest_ftc_make_store(): return LocalStore(__import__('pathlib').Path('{project}-own'))\n"
    )
    run = verify(toml, store(project, "first"), "-k", "one")
    assert "[tool.ftc.remote] store is not used: a plugin has a store" in run.flat
