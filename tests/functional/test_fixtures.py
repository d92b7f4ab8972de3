"""Every fixture has the verdict that fixtures/expected.toml declares, in one run of pytest --ftc-verify each."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from one_run import verify_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).parents[2] / "fixtures"
EXPECTED = tomllib.loads((FIXTURES / "expected.toml").read_text())


ZERO_CONFIGURATION = sorted(name for name in EXPECTED if not (FIXTURES / name / "ftc.toml").exists())
DECLARED = sorted(set(EXPECTED) - set(ZERO_CONFIGURATION))


def lacks_tools(name: str) -> bool:
    return not all(shutil.which(need) for need in EXPECTED[name].get("needs", []) if not need.startswith("python:"))


def verify(folder: Path, *options: str) -> dict[str, dict]:
    return verify_folder(folder, f"--rootdir={folder}", *options)


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project that declares the artifacts of all fixtures, so that their builds overlap."""
    project = tmp_path_factory.mktemp("fixtures") / "project"
    lines = []
    for name in DECLARED:
        shutil.copytree(FIXTURES / name, project / name, symlinks=True)
        for artifact, table in tomllib.loads((project / name / "ftc.toml").read_text())["artifacts"].items():
            lines += [f'[artifacts."{name}.{artifact}"]', f'source = "{name}/{table.pop("source", ".")}"']
            lines += [f"{key} = {as_toml(value)}" for key, value in table.items()]
    (project / "ftc.toml").write_text("\n".join(lines) + "\n")
    (project / "pytest.ini").write_text("[pytest]\n")
    return project


@pytest.fixture(scope="module")
def verified(project: Path) -> dict[str, dict]:
    return verify(project)


def leaking(name: str, artifact: str) -> set[str]:
    causes = EXPECTED[name].get("cause", [])
    causes = causes.get(artifact, []) if isinstance(causes, dict) else causes
    return {causes} if isinstance(causes, str) else set(causes)


def expected_verdict(name: str, artifact: str, report: dict) -> str:
    table = EXPECTED[name]
    if lacks_tools(name):
        return "failed"  # without its tool a build fails, and the verdict has to say so
    causes = leaking(name, artifact)
    impossible = {
        entry["variation"] for entry in report["not_varied"] if entry["reason"] != "the build breaks under it"
    }
    if causes and causes <= impossible:
        return "reproducible"  # the machine cannot vary what leaks, and the report names it
    return table["artifacts"][artifact] if "artifacts" in table else table["verdict"]


@pytest.mark.parametrize("name", DECLARED)
def test_a_fixture_has_its_verdict(name, verified):
    reports = {key.partition(".")[2]: value for key, value in verified.items() if key.partition(".")[0] == name}
    assert reports
    for artifact, report in reports.items():
        assert report["verdict"] == expected_verdict(name, artifact, report), report


@pytest.mark.parametrize("name", DECLARED)
def test_the_cause_named_first_is_what_leaks(name, verified):
    for key, report in verified.items():
        fixture, _, artifact = key.partition(".")
        if fixture == name and report["verdict"] == "unreproducible" and not lacks_tools(name):
            first = report["findings"][0]
            assert first["cause"] in leaking(name, artifact), (first, [b["environment"] for b in report["builds"]])


def test_every_verdict_is_the_same_in_later_sessions(project, verified):
    first = {name: report["verdict"] for name, report in verified.items()}
    for _ in range(2 if os.environ.get("CI") else 1):
        assert {
            name: report["verdict"] for name, report in verify(project, "--ftc-diagnose=off", "--ftc-no-cache").items()
        } == first


@pytest.mark.usefixtures("leaves_nothing_behind")
@pytest.mark.parametrize("name", ZERO_CONFIGURATION)
def test_a_python_project_needs_no_configuration(name, tmp_path):
    folder = tmp_path / name
    shutil.copytree(FIXTURES / name, folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    for artifact, report in verify(folder, "--ftc-diagnose=off").items():
        assert report["verdict"] == expected_verdict(name, artifact, report), report


def test_the_table_and_the_folders_agree():
    assert {path.name for path in FIXTURES.iterdir() if path.is_dir()} - {"example-plugin"} == set(EXPECTED)
    verdicts = [table.get("verdict") for table in EXPECTED.values()]
    assert len(verdicts) >= 20
    assert verdicts.count("reproducible") >= 7
