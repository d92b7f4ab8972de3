"""What was verified once is not built again, and only then: the action cache, the history and ``--ftc-no-cache``."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.store.action_cache import open_entry, seal_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.secret_key import load_key

QUICK = "--ftc-variations=quick,-time"
TWO = """
[artifacts.one]
build = "cat *.txt > out"
outputs = ["out"]
source = "one"
[artifacts.two]
build = "cat *.txt > out"
outputs = ["out"]
source = "two"
"""


@pytest.fixture(autouse=True)
def _two_builds(monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--ftc-builds=2")


@pytest.fixture(autouse=True)
def _sources(project):
    # The project's own folder changes from run to run: the tests of tests write there.
    (project / "src").mkdir()
    (project / "src" / "a.txt").write_text("a")


@pytest.fixture
def verify_build(verify):
    def run(build: str, *arguments: str, more: str = ""):
        return verify(app(build, more), *arguments)

    return run


def app(build: str, more: str = "") -> str:
    return f"[artifacts.app]\nbuild = '{build}'\noutputs = ['out']\nsource = 'src'\n{more}\n"


@pytest.fixture
def two(project):
    for name in ("one", "two"):
        (project / name).mkdir()
        (project / name / "a.txt").write_text(name)
    return project


def cached(run) -> dict[str, bool]:
    return {artifact["name"]: artifact["cached"] for artifact in run.report["artifacts"]}


def store_folder() -> Path:
    return Path(os.environ["FTC_STORE"])


def entries() -> list[Path]:
    return sorted(path for path in (store_folder() / "actions").rglob("*") if path.is_file())


def key() -> bytes:
    return load_key(Path(os.environ["XDG_DATA_HOME"], "pytest-ftc", "store-key"), {})


@pytest.mark.parametrize("git_project", [False, True])
def test_only_what_has_changed_is_built_again(verify, two, git, git_project):
    if git_project:
        git(two, "init", "-q")
    first = verify(TWO, QUICK)
    assert cached(first) == {"one": False, "two": False}
    second = verify(TWO, QUICK)
    assert cached(second) == {"one": True, "two": True}
    assert second.status == first.status == 0
    assert second.verdicts == first.verdicts
    assert second.text.count("10 of 10 variations, cached") == 2
    assert [one["builds"] for one in second.report["artifacts"]] != []
    (two / "two" / "a.txt").write_text("changed")
    assert cached(verify(TWO, QUICK)) == {"one": True, "two": False}
    (two / "two" / "a.txt").write_text("two")
    assert cached(verify(TWO, QUICK)) == {"one": True, "two": True}


@pytest.mark.parametrize(
    "change",
    [
        "build = 'cat -- *.txt > out'",
        "outputs = ['ou*']",
        "metadata = 'strict'",
        "env = {A = '1'}",
        "source_date_epoch = 7",
    ],
)
def test_whatever_decides_the_outputs_is_asked_about(verify, project, change):
    keys = {"build": "'cat *.txt > out'", "outputs": "['out']", "source": "'src'"}
    name, _, value = change.partition(" = ")

    def toml(**changed: str) -> str:
        return "[artifacts.app]\n" + "".join(f"{key} = {value}\n" for key, value in {**keys, **changed}.items())

    specification = f"{QUICK},-umask"
    verify(toml(), specification)
    assert cached(verify(toml(**{name: value}), specification)) == {"app": False}
    assert cached(verify(None, specification)) == {"app": True}


def test_another_value_of_a_variable_that_is_passed_is_another_action(verify, project, monkeypatch):
    toml = app("echo > out", "pass_env = ['FTC_TEST_PASSED']")
    monkeypatch.setenv("FTC_TEST_PASSED", "one")
    verify(toml, QUICK)
    assert cached(verify(None, QUICK)) == {"app": True}
    monkeypatch.setenv("FTC_TEST_PASSED", "two")
    assert cached(verify(None, QUICK)) == {"app": False}


def test_another_tool_is_another_action(verify, project, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("tools")
    folder.chmod(0o755)
    tool = folder / "mytool"
    tool.write_text("#!/bin/sh\necho one\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    toml = app("mytool > out")
    assert verify(toml, QUICK + ",-exec_path").verdicts == {"app": "reproducible"}
    assert cached(verify(None, QUICK + ",-exec_path")) == {"app": True}
    tool.write_text("#!/bin/sh\necho two\n")
    assert cached(verify(None, QUICK + ",-exec_path")) == {"app": False}


def test_a_commit_is_asked_about_where_builds_can_see_it(verify, project, git):
    (project / "ftc.toml").write_text("[artifacts.app]\nbuild = 'echo > out'\noutputs = ['out']\n")
    (project / ".gitignore").write_text("runpytest-*\n.pytest_cache\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    verify(None, QUICK)
    assert cached(verify(None, QUICK)) == {"app": True}
    git(project, "commit", "-qm", "second", "--allow-empty")
    assert cached(verify(None, QUICK)) == {"app": False}
    git(project, "tag", "v1")
    assert cached(verify(None, QUICK)) == {"app": False}


def test_a_hit_covers_at_least_what_is_asked_for(verify_build):
    build = "echo > out"
    verify_build(build, "--ftc-variations=umask,home")
    fewer = verify_build(build, "--ftc-variations=umask")
    assert cached(fewer) == {"app": True}
    assert fewer.artifact()["varied"] == ["umask"]
    assert cached(verify_build(build, "--ftc-variations=umask,temp_dir")) == {"app": False}
    assert cached(verify_build(build, "--ftc-variations=umask,temp_dir", "--ftc-builds=3")) == {"app": False}
    assert cached(verify_build(build, "--ftc-variations=umask,temp_dir", "--ftc-builds=2")) == {"app": True}
    assert cached(verify_build(build, "--ftc-variations=umask,temp_dir", "--ftc-trace")) == {"app": False}


def test_other_parameters_are_another_question(verify_build):
    time_of = "--ftc-variations=time,time.offset={}"
    verify_build("echo > out", time_of.format("+30d"))
    assert cached(verify_build("echo > out", time_of.format("+30d"))) == {"app": True}
    assert cached(verify_build("echo > out", time_of.format("+40d"))) == {"app": False}


def test_what_differs_is_remembered_with_its_finding(verify_build):
    build = "echo $HOME > out"
    first = verify_build(build, QUICK, "--ftc-diagnose=fast")
    second = verify_build(build, QUICK, "--ftc-diagnose=fast")
    assert (first.status, second.status) == (1, 1)
    assert cached(second) == {"app": True}
    assert second.artifact()["findings"] == first.artifact()["findings"]
    assert "--ftc-verify --ftc-no-cache ftc.toml::ftc::app" in second.flat
    assert cached(verify_build(build, QUICK + ",-home", "--ftc-diagnose=fast")) == {"app": False}


def test_a_better_explanation_is_worth_building(verify_build):
    verify_build("echo $HOME > out", QUICK)
    assert cached(verify_build("echo $HOME > out", QUICK, "--ftc-diagnose=fast")) == {"app": False}


@pytest.mark.parametrize("build", ["exit 1", "test $(umask) = 0022 && echo > out"])
def test_what_fails_or_breaks_is_built_again(verify_build, build):
    first = verify_build(build, QUICK)
    assert first.verdicts["app"] in ("failed", "fragile")
    assert cached(verify_build(build, QUICK)) == {"app": False}


@pytest.mark.parametrize("key_, value", [("fetches", "true"), ("secrets", "['env:FTC_TEST_SECRET']")])
def test_what_no_digest_can_speak_for_is_not_remembered(verify_build, monkeypatch, key_, value):
    monkeypatch.setenv("FTC_TEST_SECRET", "correct horse battery")
    for _ in range(2):
        assert cached(verify_build("echo > out", QUICK, more=f"{key_} = {value}")) == {"app": False}
    assert entries() == []


def test_without_the_cache_it_is_built_and_agreement_grows(verify_build):
    verify_build("echo > out", QUICK)
    run = verify_build("echo > out", QUICK, "--ftc-no-cache")
    assert cached(run) == {"app": False}
    assert run.artifact()["agreement"] == {"builds": 4, "machines": 1, "days": 1}
    assert "agrees with 4 builds on 1 machine over 1 day" in run.flat
    assert verify_build("echo > out", QUICK).artifact()["agreement"]["builds"] == 4


def test_another_record_of_the_same_action_is_a_finding_and_is_not_overwritten(verify_build):
    verify_build("echo new > out", QUICK)
    (path,) = entries()
    before = open_entry(path.read_bytes(), path.name, key())
    assert before is not None
    store = LocalStore(store_folder())
    old = store.put(b"old\n")
    text = json.dumps(before.verification)
    new = before.verification["builds"][0]["outputs"][0]["sha256"]
    recorded = json.loads(text.replace(new, old.hash))
    kept = replace(before, machine="elsewhere", verification=recorded)
    path.write_bytes(seal_entry(kept, key()))
    run = verify_build("echo new > out", QUICK, "--ftc-no-cache")
    store.close()
    assert run.verdicts == {"app": "unreproducible"}
    (finding,) = run.artifact()["findings"]
    assert finding["cause"] == "machine"
    assert finding["location"] == "line 1"
    assert finding["evidence"] == {"control": "old", "experiment": "new"}
    assert "on elsewhere" in run.flat
    assert open_entry(path.read_bytes(), path.name, key()) == replace(kept, disputed=True)


@pytest.mark.parametrize("how", ["another key", "a flipped bit", "another action", "truncated"])
def test_an_entry_that_is_not_authentic_is_refused_and_built_again(verify, two, how):
    verify(TWO, QUICK)
    first, second = entries()
    if how == "another key":
        for path in (first, second):
            entry = open_entry(path.read_bytes(), path.name, key())
            path.write_bytes(seal_entry(entry, bytes(32)))
    elif how == "a flipped bit":
        for path in (first, second):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            path.write_bytes(data)
    elif how == "another action":
        one, other = first.read_bytes(), second.read_bytes()
        first.write_bytes(other)
        second.write_bytes(one)
    else:
        for path in (first, second):
            path.write_bytes(path.read_bytes()[:100])
    run = verify(TWO, QUICK)
    assert cached(run) == {"one": False, "two": False}
    assert "2 cached verification(s) were not authentic" in run.flat
    assert cached(verify(TWO, QUICK)) == {"one": True, "two": True}


@pytest.fixture
def outside():
    """A folder that builds see, since it is not below a private temporary one."""
    folder = Path(tempfile.mkdtemp(prefix="ftc-outside-", dir=pwd.getpwuid(os.getuid()).pw_dir))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def verify_unwatched(project):
    """Verify one artifact where builds cannot be traced: no digest covers what only a trace would show."""

    def run(build: str, *arguments: str) -> tuple[str, bool, str]:
        (project / "ftc.toml").write_text(app(build))
        report = project.parent / "report.json"
        sandbox = (sys.executable, str(Path(__file__).with_name("without_call.py")), "ptrace")
        options = ("--ftc-verify", "--ftc-diagnose=off", "--ftc-variations=umask", f"--ftc-json={report}", *arguments)
        command = [*sandbox, sys.executable, "-m", "pytest", *options]
        done = subprocess.run(
            command, cwd=project, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}
        )
        (artifact,) = json.loads(report.read_text())["artifacts"]
        return artifact["verdict"], artifact["cached"], done.stdout

    return run


@pytest.mark.parametrize("how", ["damaged", "emptied", "removed", "written with the clock set back"])
def test_a_disputed_record_stays_disputed_whatever_happens_to_the_history(verify_unwatched, outside, how):
    build = f"cat $(echo {outside}/hid)den > out"
    (outside / "hidden").write_text("one")
    assert verify_unwatched(build)[:2] == ("reproducible", False)
    assert verify_unwatched(build)[:2] == ("reproducible", True)
    (outside / "hidden").write_text("two")
    assert verify_unwatched(build, "--ftc-no-cache")[:2] == ("unreproducible", False)
    history = store_folder() / "history.sqlite"
    if how == "damaged":
        data = bytearray(history.read_bytes())
        data[::97] = bytes(byte ^ 0xFF for byte in data[::97])
        history.write_bytes(data)
    elif how == "emptied":
        history.write_bytes(b"")
    elif how == "removed":
        history.unlink()
    else:
        with contextlib.closing(sqlite3.connect(history)) as connection, connection:
            connection.execute("update builds set started = started - 100000 where number > 2")
    verdict, answered, told = verify_unwatched(build)
    assert (verdict, answered) == ("unreproducible", False)
    assert "the history was damaged; a new one was started" in told


def test_a_damaged_history_costs_no_verdict(verify_build):
    verify_build("echo > out", QUICK)
    (store_folder() / "history.sqlite").write_bytes(b"garbage" * 1000)
    run = verify_build("echo > out", QUICK, "--ftc-no-cache")
    assert run.verdicts == {"app": "reproducible"}
    assert "the history was damaged; a new one was started" in run.flat


@pytest.mark.parametrize("what", ["a file", "below a file", "a damaged key"])
def test_a_store_that_cannot_be_used_costs_no_verdict(verify_build, tmp_path, monkeypatch, what):
    (tmp_path / "file").write_text("")
    option = "--ftc-jobs=2"
    if what == "a damaged key":
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        (tmp_path / "pytest-ftc").mkdir()
        (tmp_path / "pytest-ftc" / "store-key").write_text("short")
    else:
        option = f"--ftc-store={tmp_path / 'file'}{'/store' if what == 'below a file' else ''}"
    run = verify_build("echo > out", QUICK, option)
    assert (run.status, run.verdicts) == (0, {"app": "reproducible"})
    assert "the verification cache is not used" in run.flat


def test_a_full_store_costs_no_verdict(tmp_path, project):
    (project / "ftc.toml").write_text("[artifacts.app]\nbuild = 'head -c 3000000 /dev/zero > out'\noutputs = ['out']\n")
    disk = tmp_path / "disk"
    disk.mkdir()
    report = tmp_path / "report.json"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--ftc-verify",
        QUICK,
        f"--ftc-store={disk}/store",
        f"--ftc-json={report}",
    ]
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", f'mount -t tmpfs -o size=1m none {disk}; exec "$@"', "sh", *command],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert json.loads(report.read_text())["artifacts"][0]["verdict"] == "reproducible"
    assert "No space left on device" in done.stdout


def test_a_killed_session_loses_nothing_that_was_finished(verify, project):
    toml = """
    [artifacts.quick]
    build = "echo > out"
    outputs = ["out"]
    source = "src"
    [artifacts.slow]
    build = "sleep ${FTC_TEST_SLEEP:-0}; echo > out"
    outputs = ["out"]
    source = "src"
    pass_env = ["FTC_TEST_SLEEP"]
    """
    (project / "ftc.toml").write_text(toml)
    session = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-jobs=4", QUICK],
        env={**os.environ, "FTC_TEST_SLEEP": "1000"},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not entries() and time.monotonic() < deadline:
        time.sleep(0.05)
    session.send_signal(signal.SIGKILL)
    session.wait()
    run = verify(toml, QUICK)
    assert cached(run) == {"quick": True, "slow": False}
    assert run.verdicts == {"quick": "reproducible", "slow": "reproducible"}


def test_two_sessions_and_eight_workers_share_a_store(verify, two):
    (two / "ftc.toml").write_text(TWO)
    other = subprocess.Popen([sys.executable, "-m", "pytest", "--ftc-verify", QUICK], stdout=subprocess.DEVNULL)
    run = verify(TWO, QUICK, "-n8")
    assert other.wait() == 0
    assert run.verdicts == {"one": "reproducible", "two": "reproducible"}
    assert cached(verify(TWO, QUICK, "-n8")) == {"one": True, "two": True}
    done = ftc("store", "verify")
    assert (done.returncode, "no fault" in done.stdout) == (0, True)


def test_the_store_is_looked_after_while_a_session_uses_it(two):
    (two / "ftc.toml").write_text(TWO)
    session = subprocess.Popen([sys.executable, "-m", "pytest", "--ftc-verify", QUICK], stdout=subprocess.DEVNULL)
    rounds = 0
    while session.poll() is None:
        assert ftc("store", "gc", "--max-age", "0s").returncode == 0
        assert "no fault" in ftc("store", "verify").stdout
        assert ftc("store", "stats").returncode == 0
        rounds += 1
    assert (session.returncode, rounds > 1) == (0, True)


def test_a_slow_disk_costs_time_and_no_verdict(two):
    (two / "ftc.toml").write_text(TWO)
    report = two / "report.json"
    slow = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=300000")
    begin = time.monotonic()
    done = subprocess.run(
        [*slow, sys.executable, "-m", "pytest", "--ftc-verify", QUICK, f"--ftc-json={report}"],
        stdout=subprocess.DEVNULL,
    )
    assert time.monotonic() - begin > 3
    assert done.returncode == 0
    assert [one["verdict"] for one in json.loads(report.read_text())["artifacts"]] == ["reproducible"] * 2


def ftc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "pytest_ftc", *arguments], capture_output=True, text=True)


def test_the_store_and_the_history_can_be_looked_after(verify_build):
    verify_build("echo > out", QUICK)
    assert "1 verification" in ftc("store", "stats").stdout
    assert json.loads(ftc("store", "stats", "--json").stdout)["builds"] == 2
    assert "1 verification and 1 output read, no fault" in ftc("store", "verify").stdout
    assert ftc("history").stdout.split() == ["recorded", "app"]
    told = ftc("history", "app").stdout
    assert "✔ reproducible" in told
    assert "1 outcome in 2 builds on 1 machine over 1 day" in told
    builds = json.loads(ftc("history", "app", "--json").stdout)
    assert [build["role"] for build in builds] == ["experiment", "control"]
    (path,) = entries()
    path.write_bytes(b"poison")
    spoilt = ftc("store", "verify")
    assert (spoilt.returncode, path.name in spoilt.stdout.replace("\n", "").replace(" ", "")) == (1, True)
    time.sleep(1.1)
    assert "1 output" in ftc("store", "gc").stdout


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("history", "ap"), "did you mean 'app'?"),
        (("store", "gc", "--max-age", "soon"), "invalid duration 'soon'"),
        (("store", "gc", "--max-size", "much"), "invalid size 'much'"),
        (("store", "stats", "--store", "/proc/nothing"), "the store in /proc/nothing cannot be used"),
    ],
)
def test_bad_input_is_one_clear_error(verify_build, arguments, told):
    verify_build("echo > out", QUICK)
    done = ftc(*arguments)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
