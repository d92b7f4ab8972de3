"""``ftc gate`` and ``--ftc-changed-first``: what has changed comes first, and what has not is not built again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
[artifacts.one]
build = "cat a.txt > out"
outputs = ["out"]
source = "one"

[artifacts.two]
build = "sh build.sh"
outputs = ["out"]
source = "two"

[artifacts.three]
build = "cat a.txt > out"
outputs = ["out"]
source = "three"
"""
QUICK = ("-v", "--ftc-variations=home,umask", "--ftc-diagnose=off")


@pytest.fixture
def clone(tmp_path, git):
    """A clone with a branch on which one of three artifacts has changed."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    for name in ("one", "two", "three"):
        (origin / name).mkdir(parents=True)
        (origin / name / "a.txt").write_text(name)
    (origin / "two" / "build.sh").write_text("cat a.txt > out\n")
    (origin / "ftc.toml").write_text(PROJECT)
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "first")
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    (clone / "two" / "build.sh").write_text("echo $HOME > out\n")
    git(clone, "commit", "-q", "-a", "-m", "second")
    return clone


def gate(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    # Whatever runs these tests may be a CI service or a hook itself.
    ours = {name: value for name, value in os.environ.items() if not re.match("GITHUB_|CI_|PRE_COMMIT", name)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", "gate", *QUICK, *arguments],
        cwd=folder, env={**ours, **variables}, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_gate_fails_with_what_has_changed_first_and_passes_once_it_is_mended(clone, git):
    variables = {
        "FTC_STORE": str(clone / ".ftc-store"),
        "FTC_STORE_KEY": "k" * 40,
        "GITHUB_BASE_REF": "main",
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(clone.parent / "summary.md"),
    }
    status, text = gate(clone, **variables)
    assert status == 1
    assert "ftc: changed since origin/main, verified first: two" in text
    assert re.findall(r"ftc.toml::ftc::(\w+) (PASSED|FAILED)", text) == [
        ("two", "FAILED"), ("one", "PASSED"), ("three", "PASSED"),
    ]  # fmt: skip
    assert "::error file=ftc.toml,line=7,title=two" in text
    assert "| ❌ | two | unreproducible |" in (clone.parent / "summary.md").read_text()
    written = {path.name for path in (clone / "ftc-report").iterdir()}
    assert {"index.html", "findings.sarif", "gl-code-quality-report.json", "junit.xml"} <= written

    (clone / "two" / "build.sh").write_text("cat a.txt > out\n")
    # Another machine with the cache restored: the key is all that the two share.
    elsewhere = {"XDG_DATA_HOME": str(clone.parent / "elsewhere")}
    status, text = gate(clone, **variables, **elsewhere)
    assert status == 0, text
    assert cached(clone) == {"one": True, "two": False, "three": True}
    assert git(clone, "status", "--porcelain", "--untracked-files=all") == "M two/build.sh"

    # A shallow clone without that commit: the order is as declared, and that is all.
    status, text = gate(clone, **variables | {"GITHUB_BASE_REF": "", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "1" * 40})
    assert status == 0
    assert cached(clone) == {"one": True, "two": True, "three": True}


def cached(folder: Path) -> dict[str, bool]:
    report = json.loads((folder / "ftc-report" / "report.json").read_text())
    return {artifact["name"]: artifact["cached"] for artifact in report["artifacts"]}


def test_what_names_no_commit_is_one_clear_error(verify, project, git):
    git(project, "init", "-q")
    run = verify('[artifacts.app]\nbuild = "true"\noutputs = ["out"]', "--ftc-changed-first=nowhere")
    assert run.status == 4
    assert "changed_first: expected a commit: 'nowhere' is not a commit in the repository of" in run.text


def test_the_gate_tells_what_it_does_and_where_it_has_nothing_to_do(tmp_path):
    status, text = gate(tmp_path)
    assert status == 2
    assert "no artifact is declared" in text
    done = subprocess.run([sys.executable, "-m", "pytest_ftc", "gate", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "usage: ftc gate [--shard K/N] [PYTEST ARGUMENTS]" in done.stdout
