"""``ftc store export``: a small store with which a fresh clone builds nothing again."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftc.cli.main import main

PROJECT = """
builds = 2
variations = "umask"
[artifacts.app]
build = "cat app/in > out"
outputs = ["out"]
[artifacts.lib]
build = "tr a-z A-Z < in > out"
outputs = ["out"]
source = "lib"
[artifacts.bad]
build = "date +%N > out"
outputs = ["out"]
source = "lib"
[artifacts.secret]
build = "cat in > out"
outputs = ["out"]
source = "lib"
secrets = ["env:FTC_TEST_SECRET"]
"""
TESTS = """
import pytest

@pytest.mark.ftc(outputs=["r.txt"])
def test_marked(ftc_output):
    (ftc_output / "r.txt").write_text("hi")

def test_declares(ftc):
    ftc.verify(build="cat in > o", outputs=["o"], source="lib")
"""
SECRET = "correct-horse-battery"


@pytest.fixture
def origin(tmp_path, git, monkeypatch):
    """A repository, and the environment of a job in CI."""
    monkeypatch.setenv("FTC_TEST_SECRET", SECRET)
    monkeypatch.setenv("FTC_STORE_KEY", "0123456789" * 4)
    folder = tmp_path / "origin"
    for name in ("app", "lib"):
        (folder / name).mkdir(parents=True)
        (folder / name / "in").write_text(name)
    (folder / "ftc.toml").write_text(PROJECT)
    (folder / "test_x.py").write_text(TESTS)
    (folder / ".gitignore").write_text("__pycache__\n.pytest_cache\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    monkeypatch.chdir(folder)
    return folder


def verify(folder: Path, store: Path | str, *arguments: str) -> tuple[int, str, dict]:
    report = folder.parent / "report.json"
    command = ["-m", "pytest", "-p", "no:hypothesispytest", "--ftc-verify", "--ftc-diagnose=off", *arguments]
    done = subprocess.run(
        [sys.executable, *command, f"--ftc-json={report}"],
        cwd=folder, env={**os.environ, "FTC_STORE": str(store)}, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text())


def cached(report):
    return {artifact["name"].rpartition("::")[2]: artifact["cached"] for artifact in report["artifacts"]}


def test_a_fresh_clone_builds_nothing_again(origin, tmp_path, git, capsys, monkeypatch):
    exported, store = tmp_path / "exported", os.environ["FTC_STORE"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ftc.toml").write_text("[artifacts.foreign]\nbuild = 'echo foreign-bytes > out'\noutputs = ['out']\n")
    verify(elsewhere, store, "--ftc-variations=umask")
    assert verify(origin, store)[0] == 1

    (origin / "lib" / "in").write_text("not committed")
    assert main(["store", "export", "--for", "HEAD", str(exported)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"written     5 verdicts, 4 blobs, \d+\.\d KiB\n", told)
    assert "no verdict  secret: it downloads or has secrets, and is always built" in told
    assert "FTC_STORE_KEY" not in told
    contents = b"".join(file.read_bytes() for file in exported.rglob("*") if file.is_file())
    assert not any(word in contents for word in (SECRET.encode(), b"foreign", str(elsewhere).encode()))

    assert main(["store", "verify", "--store", str(exported)]) == 0
    assert "5 verifications and 4 outputs read, no fault" in capsys.readouterr().out
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    # Another machine: all that the two share is the key.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    status, _, report = verify(clone, exported)
    everything = {"app": True, "lib": True, "bad": True, "secret": False, "test_marked": True, "test_declares": True}
    assert (status, cached(report)) == (1, everything)
    assert report["artifacts"][0]["agreement"]["builds"] == 2
    assert main(["store", "verify", "--store", str(exported)]) == 0

    # The store grows, and can be exported in turn.
    (clone / "lib" / "in").write_text("changed")
    git(clone, "commit", "-q", "-a", "-m", "second")
    assert cached(verify(clone, exported)[2])["lib"] is False
    monkeypatch.chdir(clone)
    capsys.readouterr()
    again = tmp_path / "again"
    assert main(["store", "export", "--for=worktree", "--json", "--store", str(exported), str(again)]) == 0
    assert json.loads(capsys.readouterr().out)["verdicts"] == 5
    assert main(["store", "export", "--for", "HEAD^", "--json", "--store", str(exported), str(tmp_path / "old")]) == 0
    # Of the tests, what they built last is known, whatever the commit.
    assert json.loads(capsys.readouterr().out)["verdicts"] >= 4
    assert cached(verify(clone, again)[2]) == everything


def test_without_the_key_nobody_is_answered(origin, tmp_path, monkeypatch, capsys):
    verify(origin, os.environ["FTC_STORE"])
    monkeypatch.delenv("FTC_STORE_KEY")
    # With another key than that of the store, no entry can be trusted.
    assert main(["store", "export", str(tmp_path / "none")]) == 0
    told = capsys.readouterr().out
    assert "written     0 verdicts, 0 blobs, " in told
    assert "no other machine can use it: set FTC_STORE_KEY" in told


def test_what_is_left_out_is_not_missed_until_a_build_differs_and_then_it_is_told(origin, tmp_path, capsys, outside):
    (origin / "ftc.toml").write_text(
        f'builds = 2\nvariations = "umask"\n[artifacts.app]\nbuild = "cat $(echo {outside}/hid)den > out"\n'
        'outputs = ["out"]\nsource = "app"\n'
    )
    (outside / "hidden").write_text("one")
    assert unwatched(origin, os.environ["FTC_STORE"])[:2] == ("reproducible", False)
    exported = tmp_path / "exported"
    assert main(["store", "export", "--for", "worktree", "--max-size", "0", str(exported)]) == 0
    told = capsys.readouterr().out
    assert "written     1 verdict, 0 blobs, " in told
    assert "left out    1 blob, 3 bytes: verdicts are reused without them" in told
    assert main(["store", "verify", "--store", str(exported)]) == 0
    assert "their verdicts are still valid" in capsys.readouterr().out
    assert unwatched(origin, exported)[:2] == ("reproducible", True)

    (outside / "hidden").write_text("two")
    verdict, answered, text = unwatched(origin, exported, "--ftc-no-cache")
    assert (verdict, answered) == ("unreproducible", False)
    assert "not examined: the store no longer has what was recorded" in text
    # The dispute is exported too: no lucky clone is green.
    assert main(["store", "export", "--for", "worktree", "--store", str(exported), str(tmp_path / "next")]) == 0
    assert "no verdict  app: later builds had other outputs; it will be built again" in capsys.readouterr().out
    assert unwatched(origin, tmp_path / "next")[:2] == ("unreproducible", False)


@pytest.fixture
def outside():
    """A folder that builds see, since it is not below a private temporary one."""
    folder = Path.home() / f"ftc-outside-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def unwatched(project, store, *arguments):
    """Verify where builds cannot be traced: no digest covers what only a trace would show."""
    report = project.parent / "report.json"
    sandbox = (sys.executable, str(Path(__file__).with_name("without_call.py")), "ptrace")
    options = ("--ftc-verify", "--ftc-diagnose=off", f"--ftc-json={report}", "ftc.toml", *arguments)
    done = subprocess.run(
        [*sandbox, sys.executable, "-m", "pytest", *options],
        cwd=project, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200", "FTC_STORE": str(store)},
    )  # fmt: skip
    (artifact,) = json.loads(report.read_text())["artifacts"]
    return artifact["verdict"], artifact["cached"], done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--for", "nowhere", "new"], "'nowhere' is not a commit"),
        (["lib"], "lib is not empty; name a new folder"),
        (["--store", ".", "below"], "is in the store"),
        (["--max-size", "much", "new"], "invalid size 'much'"),
        ([], "the following arguments are required: FOLDER"),
    ],
)
def test_bad_input_is_one_clear_error_and_writes_nothing(origin, git, arguments, told):
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", "store", "export", *arguments], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert git(origin, "status", "--porcelain", "--untracked-files=all") == ""


def test_outside_a_repository_the_sources_are_exported_as_they_are(tmp_path, monkeypatch, capsys):
    (tmp_path / "src").mkdir()
    (tmp_path / "ftc.toml").write_text("[artifacts.app]\nbuild = 'echo > out'\noutputs = ['out']\nsource = 'src'\n")
    monkeypatch.chdir(tmp_path)
    verify(tmp_path, os.environ["FTC_STORE"], "--ftc-variations=umask", "--ftc-builds=2")
    assert main(["store", "export", "new"]) == 2
    assert "--for worktree takes the sources as they are here" in capsys.readouterr().err
    assert main(["store", "export", "--for", "worktree", "new"]) == 0
    assert "written     1 verdict, 1 blob, " in capsys.readouterr().out
