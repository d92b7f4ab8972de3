"""Records of builds, written and found, and refused where they would lead elsewhere."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import build, verification

from pytest_ftc.model import BuildResult, Environment, Isolation, Recipe, Role, Verdict
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.replay.records import RecipeFolders, check_record, find_record

RECIPE = Recipe(
    artifact="pyproject.toml::ftc::app",
    name="app",
    command=("make",),
    source=".",
    source_digest="d",
    commit="",
    environment=Environment(
        build_path="/ftc-build-x/app", home="/ftc-home-x", temp_dir="/tmp", variables={"A": "\udcff"}
    ),
    outputs=("dist/*",),
    timeout=1.0,
    isolation=Isolation.USER,
)


def recorded(**changes: Any) -> BuildResult:
    return replace(build(Role.CONTROL), recipe=replace(RECIPE, **changes))


def test_a_record_is_found_again_as_it_was_but_for_what_does_not_last(tmp_path: Path) -> None:
    one = replace(verification(Verdict.REPRODUCIBLE), builds=(recorded(),))
    RecipeFolders([tmp_path]).write(one)
    lasting = replace(recorded(), log="", log_tail="")
    assert find_record("app-control", [tmp_path / "none", tmp_path]) == lasting
    assert find_record("app-control-attempt-2", [tmp_path]) == lasting


@pytest.mark.parametrize("sessions", [1, 3])
def test_the_next_verification_replaces_those_of_its_artifact_alone(tmp_path: Path, sessions: int) -> None:
    folders = [RecipeFolders([tmp_path]) for _ in range(sessions)]
    first = replace(verification(Verdict.REPRODUCIBLE), builds=(recorded(), replace(recorded(), id="app-bisect-3")))
    other = replace(first, name="app-control", builds=(replace(recorded(), id="app-control-control"),))
    for number, one in enumerate((first, other, replace(first, builds=(recorded(),)))):
        folders[number % sessions].write(one)
    assert sorted(path.name for path in (tmp_path / "builds").iterdir()) == [
        "app-control-control.json",
        "app-control.json",
    ]


def test_an_unknown_build_is_told_with_the_nearest_and_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nor any other"):
        find_record("app", [tmp_path])
    RecipeFolders([tmp_path]).write(replace(verification(Verdict.REPRODUCIBLE), builds=(recorded(),)))
    with pytest.raises(ConfigurationError, match=f"{tmp_path}.*did you mean 'app-control'"):
        find_record("app-contro", [tmp_path])


def in_environment(**changes: Any) -> dict[str, Any]:
    return {"environment": replace(RECIPE.environment, **changes)}


@pytest.mark.parametrize(
    "changes",
    [
        {"command": ()},
        {"outputs": ("../../etc/*",)},
        {"outputs": ()},
        {"timeout": float("nan")},
        {"root": "/tmp/x"},
        {"executor": "elsewhere"},
        in_environment(build_path="/ftc-x/../etc"),
        in_environment(build_path="ftc-x"),
        in_environment(home="/usr/local"),
        in_environment(temp_dir="/"),
        in_environment(variables={"A=B": "C"}),
        in_environment(host="a\n127.0.0.1"),
    ],
)
def test_a_record_that_leads_elsewhere_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|no command|no outputs"):
        check_record(recorded(**changes), "app-control")


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2, "build": {}}', '{"version": 1, "build": {"id": 3}}'])
def test_a_damaged_record_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "builds").mkdir()
    (tmp_path / "builds/app-control.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"app-control.json is not a valid record of a build"):
        find_record("app-control", [tmp_path])
