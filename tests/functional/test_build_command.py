"""``ftc build``: what is written is what was verified."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("leaves_nothing_behind")

PROJECT = """
[artifacts.app]
before = "echo before >> made"
build = "echo $NAME $SOURCE_DATE_EPOCH >> made; mkdir -p dist; cp made dist/app-1.0.txt; chmod 755 dist/app-1.0.txt"
after = "echo after >> dist/app-1.0.txt"
outputs = ["dist/*.txt"]
source_date_epoch = 1700000000
[artifacts.app.env]
NAME = "hello"

[artifacts.tree]
build = "mkdir -p tree/bin && echo x > tree/bin/x && ln -s x tree/bin/y"
outputs = ["tree"]

[artifacts.clock]
build = "date +%s%N > clock"
outputs = ["clock"]

[artifacts.broken]
build = "echo this is why >&2; exit 3"
outputs = ["out"]

[artifacts.leaks]
build = "echo $TOKEN > leaked"
outputs = ["leaked"]
secrets = ["env:TOKEN"]
"""
MADE = b"before\nhello 1700000000\nafter\n"
QUICK = ("--ftc-variations=quick", "--ftc-diagnose=off", "--ftc-builds=2")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of which some artifacts are verified."""
    root = tmp_path_factory.mktemp("build")
    (root / "ftc.toml").write_text(PROJECT)
    ftc(root, "verify", "app", "clock", *QUICK, f"--ftc-store={root}-store")
    return root


def ftc(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest_ftc", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def test_outputs_are_those_that_were_verified_with_all_settings(project, tmp_path):
    variations = (project / "ftc.toml").read_text()
    done = ftc(project, "build", "app", "tree", "-o", str(tmp_path / "new" / "out"), f"--ftc-store={project}-store")
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "new" / "out" / "app-1.0.txt"
    assert made.read_bytes() == MADE
    assert made.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "new" / "out" / "tree" / "bin" / "y").readlink() == Path("x")
    assert f"{made}  {len(MADE)} bytes\n    sha256 {hashlib.sha256(MADE).hexdigest()}\n" in done.stdout
    assert "· tree: not verified as it is now; to do so: ftc verify tree" in done.stdout
    assert (project / "ftc.toml").read_text() == variations


def test_json_names_each_output(project, tmp_path):
    done = ftc(project, "build", "tree", "-o", str(tmp_path), "--json")
    (tree,) = json.loads(done.stdout)
    assert (tree["name"], tree["verdict"], tree["problem"]) == ("tree", None, None)
    assert [one["path"] for one in tree["outputs"]][-1] == f"{tmp_path}/tree/bin/y"


@pytest.mark.parametrize(
    ("names", "status", "told"),
    [
        (["app", "broken"], 1, "✘ broken: the build failed: exit status 3\n  │ this is why\n"),
        (["ap"], 2, "ftc: there is no artifact 'ap'; did you mean 'app'?  Artifacts: app, tree"),
    ],
)
def test_where_one_fails_nothing_is_written(project, tmp_path, names, status, told):
    done = ftc(project, "build", *names, "-o", str(tmp_path / "out"))
    assert done.returncode == status
    assert told in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_a_secret_is_never_written(project, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cr3t-of-this-test")
    done = ftc(project, "build", "leaks", "-o", str(tmp_path / "out"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()
