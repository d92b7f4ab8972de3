"""``ftc verify 'COMMAND' OUTPUT...``: no file is needed, and reprotest's flags are understood."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = ("--ftc-diagnose=off", "--ftc-builds=2")
GOOD, BAD = "echo same > out.txt", "pwd > out.txt"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "words.txt").write_text("words\n")
    return folder


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", "verify", *arguments],
        cwd=folder, env=dict(os.environ), capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_command_is_verified_without_a_file_and_leaves_none(project):
    status, text = verify(project, GOOD, "out.txt", "--vary=-all,build_path,umask", *QUICK)
    assert status == 0, text
    assert "✔ reproducible  echo  2 builds" in text
    assert "2 of 2 variations" in text
    assert [path.name for path in project.iterdir()] == ["words.txt"]


def test_what_differs_fails_and_the_command_shown_runs_it_again(project):
    status, text = verify(project, BAD, "out.txt", "--vary=-all,build_path", *QUICK)
    assert status == 1
    assert "✘ unreproducible  pwd" in text
    assert "rootdir" not in text and "FAILED" not in text
    words = shown(text, "again", "replay")
    assert words[:2] == ["ftc", "verify"]
    done = subprocess.run([sys.executable, "-m", "pytest_ftc", *words[1:]], cwd=project, capture_output=True, text=True)
    assert done.returncode == 1
    assert "✘ unreproducible  pwd" in done.stdout


def shown(text: str, label: str, then: str) -> list[str]:
    """Return the words of the command that a panel shows at `label`, before the label `then`."""
    found = re.search(rf"{label}\s+(.*?)\n *{then}", text, re.DOTALL)
    assert found, text
    return shlex.split(found[1].replace("\\\n", " "))


def test_the_commands_that_are_shown_go_where_its_builds_are_replayed(project):
    _, text = verify(project, BAD, "out.txt", "--vary=-all,build_path", *QUICK)
    go, folder, then, *replay = shown(text, "replay", "=====")
    assert (go, then) == ("cd", "&&")
    assert 'build = "pwd > out.txt"' in (Path(folder) / "ftc.toml").read_text()
    done = subprocess.run([sys.executable, "-m", *replay], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    healed = [sys.executable, "-m", "pytest_ftc", "determinize", "pwd"]
    done = subprocess.run(healed, cwd=folder, capture_output=True, text=True)
    assert "no setting" in done.stdout + done.stderr or "[artifacts.pwd" in done.stdout, done.stdout + done.stderr


def test_each_extra_build_has_variations_of_its_own(project):
    status, text = verify(project, "--variations=build_path,umask", "--extra-build=-build_path", "--", "null")
    assert (status, text) == (2, "ftc: expected a command: ftc verify 'COMMAND' OUTPUT...\n")
    flags = ("--variations=build_path,umask", "--extra-build=-build_path", "--store-dir=kept", *QUICK)
    status, text = verify(project, *flags, BAD, "out.txt", "--", "null")
    assert status == 1
    assert "✘ unreproducible  pwd " in text
    assert "✔ reproducible    pwd-extra-1 " in text
    report = json.loads((project / "kept" / "report.json").read_text())
    assert {one["name"]: one["varied"] for one in report["artifacts"]} == {
        "pwd": ["build_path", "umask"],
        "pwd-extra-1": ["umask"],
    }


def test_the_source_is_restricted_and_outputs_may_stand_beside_it(project):
    (project / "other.txt").touch()
    command = "ls > ../list.txt; ls ../ > ../beside.txt"
    flags = ("--source-pattern=words.txt", "--vary=-all,umask", "--ftc-report=report", *QUICK)
    status, text = verify(project, command, "../*.txt", *flags)
    assert status == 0, text
    [artifact] = json.loads((project / "report" / "report.json").read_text())["artifacts"]
    outputs = {output["path"]: output["size"] for output in artifact["builds"][0]["outputs"]}
    assert outputs == {
        "ftc-outputs/list.txt": len("words.txt\n"),
        "ftc-outputs/beside.txt": len("beside.txt\nlist.txt\nsource\n"),
    }


def test_the_settings_of_the_project_are_not_read(project):
    (project / "pyproject.toml").write_text("[tool.ftc]\nvariations = 'nonsense'\n")
    (project / "conftest.py").write_text("raise SystemExit('imported')\n")
    status, text = verify(project, GOOD, "out.txt", "--vary=-all,umask", *QUICK)
    assert status == 0, text


def test_a_name_of_an_artifact_comes_before_a_command(project):
    (project / "ftc.toml").write_text(f'[artifacts.true]\nbuild = "{GOOD}"\noutputs = ["out.txt"]\n')
    status, text = verify(project, "true", "--ftc-variations=umask", *QUICK)
    assert status == 0
    assert "✔ reproducible  true" in text


def test_mistakes_say_what_is_nearest(project):
    cases = {
        ("maek", "out.txt"): f"ftc: 'maek' is neither a program nor an artifact of {project}.",
        (GOOD,): "ftc: expected the outputs of the command too: ftc verify",
        (GOOD, "/tmp/x"): "ftc: outputs: expected globs below the source folder, found ['/tmp/x']",
        (GOOD, "out", "--vary=-tiem"): "ftc: unknown variation 'tiem'; did you mean 'time'?",
        (GOOD, "out", "--testbed-init=apt-get update"): "ftc: --testbed-init has no counterpart; nearest: nothing has",
        (GOOD, "out", "--ftc-varations=time"): "unrecognized arguments: --ftc-varations=time",
    }
    for arguments, message in cases.items():
        status, text = verify(project, *arguments)
        assert (status, message in text) == (4 if "--ftc-v" in arguments[-1] else 2, True), text
    (project / "ftc.toml").write_text(f'[artifacts.good]\nbuild = "{GOOD}"\noutputs = ["out.txt"]\n')
    status, text = verify(project, "goood")
    assert "ftc: there is no artifact 'goood'; did you mean 'good'?  Artifacts: good.  To verify a command: ftc" in text
    status, text = verify(project, "good", "--vary=-time")
    assert (status, "ftc: --vary is for a command: ftc verify 'COMMAND' OUTPUT..." in text) == (2, True)
