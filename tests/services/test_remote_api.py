"""Builds that tests declare with ``ftc.verify``, and ``ftc determinize``, on a farm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from services.parity import as_toml
from services.reapi_servers import STANDARD, Casd

ARTIFACTS = """
[artifacts.compressed]
build = "gzip -k source.txt"
outputs = ["source.txt.gz"]
variations = "source_mtime"
"""
FUNCTIONS = """
import time
def steady(name):
    open(name, "w").write("steady")
def dated(name):
    open(name, "w").write(str(time.time()))
"""
TESTS = """
from functools import partial
import functions
def test_command(ftc):
    assert ftc.verify("cat source.txt > out", ["out"]).reproducible
def test_function(ftc):
    assert ftc.verify(partial(functions.steady, "out"), ["out"]).reproducible
def test_dated(ftc):
    found = ftc.verify(partial(functions.dated, "out"), ["out"], check=False)
    if found.verification:
        assert {finding.cause for finding in found.verification.findings} == {"time"}
"""


@pytest.fixture(scope="module")
def project(running_casd: Casd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose builds run on a farm."""
    folder = tmp_path_factory.mktemp("api") / "project"
    folder.mkdir()
    farm = f'[remote]\nendpoint = "{running_casd.endpoint}"\nproperties = {as_toml(STANDARD)}\n'
    (folder / "ftc.toml").write_text(f'executor = "reapi"\nbuilds = 2\n{farm}{ARTIFACTS}')
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:hypothesispytest\n")
    (folder / "source.txt").write_text("source\n")
    (folder / "functions.py").write_text(FUNCTIONS)
    (folder / "test_builds.py").write_text(TESTS)
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module in the project `folder`."""
    environ = {**os.environ, "FTC_STORE": str(folder / "store"), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environ, capture_output=True, text=True, timeout=600
    )


def test_tests_verify_builds_on_the_farm(project: Path) -> None:
    # With names of tests, the artifacts of the configuration are left out.
    tests = [f"test_builds.py::test_{name}" for name in ("command", "function", "dated")]
    done = run(project, "pytest", "--ftc-verify", "--ftc-diagnose=fast", *tests)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_tests_build_once_on_the_farm_without_a_verification(project: Path) -> None:
    done = run(project, "pytest", "test_builds.py::test_function")
    assert "1 skipped" in done.stdout, done.stdout


def test_determinize_proves_its_remedy_on_the_farm(project: Path) -> None:
    done = run(project, "pytest_ftc", "determinize", "compressed")
    assert (done.returncode, "# proved: compressed is reproducible with this" in done.stdout) == (0, True), done
    assert 'GZIP = "-n"' in done.stdout
