"""``--ftc-replay`` of builds that ran on a farm, and of others on one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from services.parity import as_toml
from services.reapi_servers import STANDARD, Casd

ARTIFACTS = """
[artifacts.steady]
build = "(date +%s; pwd; id; hostname; umask; echo $LC_ALL $FTC_CANARY $HOME; env | grep PATH=; cat source.txt) > out"
outputs = ["out"]
[artifacts.random]
build = "head -c 8 /dev/urandom > out"
outputs = ["out"]
"""


def run(folder: Path, *options: str) -> tuple[int, str]:
    """Run pytest in the project `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", *options],
        cwd=folder,
        env={**os.environ, "FTC_STORE": str(folder / "store"), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def record(folder: Path, build: str) -> dict[str, object]:
    """Return the record of a build."""
    found: dict[str, object] = json.loads((folder / f".pytest_cache/d/ftc/builds/{build}.json").read_text())["build"]
    return found


@pytest.fixture(scope="module")
def project(running_casd: Casd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was verified on a farm."""
    folder = tmp_path_factory.mktemp("replay") / "project"
    folder.mkdir()
    farm = f'[remote]\nendpoint = "{running_casd.endpoint}"\nproperties = {as_toml(STANDARD)}\n'
    (folder / "ftc.toml").write_text(farm + ARTIFACTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "source.txt").write_text("source\n")
    status, said = run(
        folder, "--ftc-verify", "--ftc-executor=reapi", "--ftc-diagnose=off", "--ftc-builds=2", "ftc.toml"
    )
    assert status == 1, said
    assert "--ftc-replay=random-experiment" in said
    return folder


def test_a_build_of_a_farm_does_there_again_what_it_did_to_the_second(project: Path) -> None:
    status, said = run(project, "--ftc-replay=steady-experiment")
    assert (status, "✔ same as before  steady-experiment" in said) == (0, True), said
    assert "out: same as before" in said
    assert "UTC, as before" in said
    assert "\n  changed" not in said
    outputs = record(project, "steady-experiment")["outputs"]
    assert isinstance(outputs, list)
    assert outputs[0]["sha256"] in said


def test_a_build_that_is_not_steady_differs_on_the_farm_too(project: Path) -> None:
    status, said = run(project, "--ftc-replay=random-control")
    assert (status, "✘ differs from before  random-control" in said) == (1, True), said


def test_the_command_line_says_where_else_it_runs(project: Path) -> None:
    _, said = run(project, "--ftc-replay=random-control", "--ftc-executor=local")
    assert "differs from before  random-control" in said
    assert "it runs on this machine now, on a farm then" in said


def test_what_needs_this_machine_is_one_usage_error(project: Path) -> None:
    option = "--ftc-keep"
    status, said = run(project, "--ftc-replay=random-control", option)
    assert status == 4
    assert (
        said
        == f"ERROR: {option} needs the build on this machine, and random-control runs on a farm; add --ftc-executor=local\n\n"
    )


def test_without_a_farm_there_is_one_usage_error(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    (copy / "ftc.toml").write_text(ARTIFACTS)
    status, said = run(copy, "--ftc-replay=random-control")
    assert status == 4
    assert said == (
        "ERROR: --ftc-replay: random-control runs on a farm: expected one in [tool.ftc.remote], found no such table; "
        "add --ftc-executor=local to run it here\n\n"
    )
