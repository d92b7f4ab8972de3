"""The first run in a project whose own tests fail, cannot be imported, or keep pytest from starting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ARTIFACTS = """
[tool.ftc.artifacts.good]
build = "echo > good"
outputs = ["good"]
[tool.ftc.artifacts.bad]
build = "pwd > bad"
outputs = ["bad"]
"""
QUICK = ("--ftc-variations=quick,-time", "--ftc-diagnose=off", "--ftc-no-cache", "--ftc-builds=2")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(ARTIFACTS)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_fine.py").write_text("def test_fine(): pass\n")
    return tmp_path


def run(folder: Path, *command: str, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_tests_that_cannot_be_imported_do_not_keep_artifacts_from_being_verified(project, workers):
    (project / "tests" / "test_broken.py").write_text("import no_such_module\n")
    status, text = run(project, "pytest", "--ftc-verify", *QUICK, *workers)
    assert status == 1
    assert "No module named 'no_such_module'" in text
    assert "✔ reproducible    good" in text
    assert "✘ unreproducible  bad" in text
    assert text.index("No module named 'no_such_module'") < text.index("✔ reproducible    good")


def test_without_the_flag_pytest_stops_as_always(project):
    (project / "tests" / "test_broken.py").write_text("import no_such_module\n")
    status, text = run(project, "pytest")
    assert status == 2
    assert "Interrupted: 1 error during collection" in text


def test_where_the_users_of_pytest_want_to_go_on_all_tests_are_run(project):
    (project / "tests" / "test_broken.py").write_text("import no_such_module\n")
    status, text = run(project, "pytest", "--ftc-verify", *QUICK, "--continue-on-collection-errors")
    assert status == 1
    assert "1 failed, 2 passed, 1 error" in text


def test_findings_stand_last_and_apart_from_failures_of_the_projects_own_tests(project):
    failing = "import pytest\n@pytest.mark.parametrize('number', range(30))\ndef test_it(number): assert number < 0\n"
    (project / "tests" / "test_failing.py").write_text(failing)
    status, text = run(project, "pytest", "--ftc-verify", *QUICK)
    assert status == 1
    last_of_pytest = text.rindex("FAILED tests/test_failing.py::test_it[29]")
    parts = ["= ftc: findings =", "✘ unreproducible  bad: its output differs", "= ftc =", "✔ reproducible    good"]
    places = [text.index(part) for part in (*parts, "FAILED pyproject.toml::ftc::bad", "31 failed, 2 passed")]
    assert [last_of_pytest, *places] == sorted([last_of_pytest, *places])
    assert text.count("✘ unreproducible  bad: its output differs") == 1
    assert text.count("FAILED pyproject.toml::ftc::bad") == 1


def test_the_artifacts_alone(project):
    (project / "tests" / "test_broken.py").write_text("import no_such_module\n")
    status, text = run(project, "pytest", "--ftc-verify", *QUICK, "pyproject.toml")
    assert status == 1
    assert "no_such_module" not in text
    assert "1 failed, 1 passed" in text


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("conftest.py", "import no_such_module\n"),
        ("pytest.ini", "[pytest]\naddopts = --cov=thing --no-such-option\n"),
        ("pytest.ini", "[pytest]\nrequired_plugins = pytest-no-such-plugin\n"),
    ],
)
def test_where_pytest_cannot_start_other_commands_verify_all_the_same(project, file, content):
    (project / file).write_text(content)
    status, text = run(project, "pytest", "--ftc-verify", *QUICK)
    assert status == 4
    if "required" not in content:
        assert "'ftc verify' verifies the artifacts" in text
    for command in ("verify", "gate"):
        status, text = run(project, "pytest_ftc", command, *QUICK)
        assert status == 1, text
        assert "✔ reproducible    good" in text
        assert "✘ unreproducible  bad" in text
        assert ("ftc: pytest cannot start here" in text) == (command == "gate")
    status, text = run(project, "pytest_ftc", "determinize", "good")
    assert "ftc: pytest cannot start here" in text
    assert "good is reproducible as it is" in text


def test_only_the_artifacts_that_are_named_are_verified(project):
    status, text = run(project, "pytest_ftc", "verify", "good", *QUICK, "-v", PYTEST_ADDOPTS="--no-such-option")
    assert status == 0, text
    assert "pyproject.toml::ftc::good PASSED" in text
    assert "bad" not in text
    status, text = run(project, "pytest_ftc", "verify", "godo", *QUICK)
    assert status == 2
    assert text.startswith(
        "ftc: there is no artifact 'godo'; did you mean 'good'?  Artifacts: good, bad.  To verify a "
    )


def test_a_tool_below_tmp_that_builds_cannot_see_is_named(project, tmp_path_factory):
    tool = tmp_path_factory.mktemp("tools") / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert str(tool).startswith("/tmp/")
    (project / "pyproject.toml").write_text(f'[tool.ftc.artifacts.app]\nbuild = "{tool}"\noutputs = ["x"]\n')
    status, text = run(project, "pytest", "--ftc-verify", *QUICK)
    assert status == 1
    assert f"each build has its own /tmp, so {tool} does not exist there".replace(" ", "") in "".join(text.split())
