"""Several projects in one repository: artifacts of folders below, under every way to select them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FTC = Path(sys.executable).parent / "ftc"
GOOD = '[artifacts.a]\nbuild = "echo > a"\noutputs = ["a"]\n'
BAD = '[tool.ftc.artifacts.bad]\nbuild = "umask > bad"\noutputs = ["bad"]\ntags = ["slow"]\n'
ROOT = "discover = true\nvariations = 'umask'\n" + GOOD


@pytest.fixture
def folders(project):
    """A project with two below; pytest has a configuration nowhere, and takes the folder of a file that is named."""
    (project / "tox.ini").unlink()
    for name, file, text in (("libs/core", "ftc.toml", GOOD), ("apps/web", "pyproject.toml", BAD)):
        (project / name).mkdir(parents=True)
        (project / name / file).write_text(text)
    (project / "apps/web/test_web.py").write_text("def test_web(): pass\n")
    (project / "ftc.toml").write_text(ROOT)
    return project


ALL = {"a": "reproducible", "libs/core:a": "reproducible", "apps/web:bad": "unreproducible"}


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], [*ALL]),
        (["-n2", "-p", "xdist"], [*ALL]),
        (["."], [*ALL]),
        (["ftc.toml"], ["a"]),
        (["libs"], ["libs/core:a"]),
        (["libs/core/ftc.toml::ftc::a"], ["libs/core:a"]),
        (["apps/web/pyproject.toml::ftc::bad", "libs/core/ftc.toml"], ["apps/web:bad", "libs/core:a"]),
        (["-k", "libs/core:a"], ["libs/core:a"]),
        (["-m", "slow"], ["apps/web:bad"]),
        (["apps/web/test_web.py"], []),
    ],
)
def test_they_are_selected_as_any_test(folders, verify, arguments, chosen):
    assert verify(None, *arguments).verdicts == {name: ALL[name] for name in chosen}


def test_failures_baseline_and_report_name_them(folders, verify):
    run = verify(None)
    assert "FAILED apps/web/pyproject.toml::ftc::bad" in run.text
    assert "pytest --ftc-verify apps/web/pyproject.toml::ftc::bad" in run.flat
    assert run.artifact("apps/web:bad")["id"] == "apps/web/pyproject.toml::ftc::bad"
    assert verify(None, "--ftc-update-baseline").status == 0
    baseline = (folders / "ftc-baseline.toml").read_text()
    assert 'artifact = "apps/web/pyproject.toml::ftc::bad"' in baseline
    assert verify(None).status == 0
    (folders / "ftc.toml").write_text(ROOT.replace("discover = true", "discover = ['libs/*']"))
    assert verify(None, "--ftc-update-baseline").status == 0
    assert "apps/web" not in (folders / "ftc-baseline.toml").read_text()


def test_a_folder_below_is_still_a_project_of_its_own(folders, pytester, monkeypatch):
    monkeypatch.chdir(folders / "libs/core")
    result = pytester.runpytest_subprocess("--ftc-verify", "--ftc-diagnose=off", "--ftc-json=r.json")
    assert result.ret == 0
    ids = [one["id"] for one in json.loads((folders / "libs/core/r.json").read_text())["artifacts"]]
    assert ids == ["ftc.toml::ftc::a"]


def ftc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FTC, *arguments], cwd=folder, capture_output=True, text=True)


def test_the_commands_take_their_names(folders):
    done = ftc(folders, "verify", "libs/core:a", "--ftc-diagnose=off")
    assert (done.returncode, "libs/core:a" in done.stdout) == (0, True), done.stdout + done.stderr
    missing = ftc(folders, "verify", "libs/core:b")
    assert "there is no artifact 'libs/core:b'; did you mean 'libs/core:a'?" in missing.stderr
    gate = ftc(folders, "gate", "--ftc-diagnose=off")
    assert gate.returncode == 1
    assert "1 failed, 2 passed" in gate.stdout
    assert "libs/core:a" in ftc(folders, "history").stdout
    assert ftc(folders, "history", "libs/core:a").returncode == 0
    assert "apps/web:bad" in ftc(folders, "drift").stdout
    assert ftc(folders, "incident", "apps/web:bad", "-o", "incident").returncode == 0
    assert ftc(folders, "build", "libs/core:a", "-o", "dist").returncode == 0
    assert (folders / "dist/a").is_file()


def test_a_remedy_is_written_to_their_file(folders):
    done = ftc(folders, "determinize", "--write", "apps/web:bad", "libs/core:a")
    text = (folders / "apps/web/pyproject.toml").read_text()
    assert 'before = "umask 022"' in text, done.stdout + done.stderr
    assert "written to apps/web/pyproject.toml: apps/web:bad" in done.stderr
    assert (folders / "libs/core/ftc.toml").read_text() == GOOD
    assert (folders / "ftc.toml").read_text() == ROOT
    assert ftc(folders, "gate").returncode == 0
