"""What VS Code and PyCharm run, in a project whose settings always have --ftc-verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TOML = '[artifacts.a]\nbuild = "echo > a"\noutputs = ["a"]\n'


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Run what an editor does, and return what pytest prints and the artifacts that were verified."""
    pytester.makeini("[pytest]\naddopts = --ftc-verify --ftc-diagnose=off --ftc-json=report.json\ntestpaths = tests\n")
    (pytester.path / "ftc.toml").write_text(TOML)
    (pytester.path / "tests").mkdir()
    (pytester.path / "tests/test_x.py").write_text("def test_one(): pass\n\ndef test_two(): pass\n")

    def run(*arguments: str) -> tuple[str, list[str]]:
        result = pytester.runpytest_subprocess(*arguments)
        assert result.ret == 0
        report = Path("report.json")
        return str(result.stdout), [
            one["name"] for one in json.loads(report.read_text())["artifacts"]
        ] if report.exists() else []

    return run


ROOT = "--rootdir=."


@pytest.mark.parametrize(
    ("arguments", "verified"),
    [
        ([ROOT, "tests/test_x.py::test_one"], []),
        ([ROOT, "tests/test_x.py::test_one", "tests/test_x.py::test_two"], []),
        (["tests/test_x.py"], []),
        (["tests"], []),
        ([ROOT, "ftc.toml::ftc::a"], ["a"]),
        ([ROOT, "tests/test_x.py::test_one", "ftc.toml::ftc::a"], ["a"]),
        ([ROOT, "ftc.toml"], ["a"]),
        (["."], ["a"]),
        ([ROOT], ["a"]),
    ],
)  # fmt: skip
def test_artifacts_are_verified_only_when_they_are_asked_for(run, arguments, verified):
    assert run(*arguments)[1] == verified


def test_the_list_of_tests_has_the_artifacts_and_builds_nothing(run):
    text, verified = run(ROOT, "--collect-only", "-q", ".")
    assert "ftc.toml::ftc::a" in text
    assert verified == []
    assert not Path("report.json").exists()
