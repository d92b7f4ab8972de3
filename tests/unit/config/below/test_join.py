"""A project with configurations in folders below."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ftc.config.below import join
from pytest_ftc.config.below.folders import asks_for_folders
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError

A = '[artifacts.a]\nbuild = "make"\noutputs = ["out/*"]\n'


def write(top: Path, **texts: str) -> None:
    """Write configurations: a word is a folder, whose ``__`` are slashes; ``root`` is the project's own."""
    for name, text in texts.items():
        folder = top / ("" if name == "root" else name.replace("__", "/"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ("pyproject.toml" if "tool.ftc" in text else "ftc.toml")).write_text(text)


def names(config: Config) -> list[str]:
    return [artifact.name for artifact in config.artifacts]


def test_only_a_project_that_asks_has_those_of_folders_below(tmp_path: Path) -> None:
    write(tmp_path, root=A, libs__core=A, libs__broken="x = [")
    assert names(load_project(tmp_path, {})) == ["a"]
    assert not asks_for_folders(tmp_path)
    write(tmp_path, root="discover = ['libs/core', 'apps']\n", apps__web=A.replace("[art", "[tool.ftc.art"))
    config = load_project(tmp_path, {})
    assert asks_for_folders(tmp_path)
    assert names(config) == ["apps/web:a", "libs/core:a"]
    web, core = config.artifacts
    assert (web.id, core.id) == ("apps/web/pyproject.toml::ftc::a", "libs/core/ftc.toml::ftc::a")
    assert (core.source, core.declared) == (tmp_path / "libs/core",) * 2
    assert config.files == (tmp_path / "apps/web/pyproject.toml", tmp_path / "libs/core/ftc.toml")
    assert config.artifacts_of(tmp_path / "libs/core/ftc.toml") == (core,)
    assert config.lines == {web.id: 1, core.id: 1}


def test_settings_for_artifacts_are_inherited_and_a_session_has_one_of_the_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        root="discover = true\nstrict = true\njobs = 3\n[sets]\nmerge = 'time,umask'\n[defaults]\ntimeout = 7\n",
        below="variations = 'merge'\njobs = 9\n[defaults]\nowner = 'me'\n" + A + "[artifacts.b]\nvariations = 'time'\n"
        "build = 'x'\noutputs = ['b']\ntimeout = 1\n",
    )  # fmt: skip
    config = load_project(tmp_path, {})
    a, b = config.artifacts
    assert (a.timeout, a.owner, a.strict, b.timeout, config.jobs) == (7, "me", True, 1, 3)
    assert (a.variations, b.variations, config.variations) == ("+time,+umask", "time", "all")
    assert load_project(tmp_path, {"variations": "aslr"}).artifacts[0].variations is None


def test_a_python_project_below_has_its_sdist_and_its_wheel(tmp_path: Path) -> None:
    write(
        tmp_path,
        root="discover = true\n",
        below="[build-system]\n[tool.ftc]\n",
        plain="[build-system]\n# not tool.ftc\n",
    )
    config = load_project(tmp_path, {})
    assert names(config) == ["below:sdist", "below:wheel"]
    write(tmp_path, root="discover = true\ndefaults = false\n")
    assert names(load_project(tmp_path, {}, needs_artifacts=False)) == []


def test_outputs_are_not_searched(tmp_path: Path) -> None:
    write(tmp_path, root=f"discover = true\n{A}", out__copy=A, other__out=A)
    assert names(load_project(tmp_path, {})) == ["a", "other/out:a"]


@pytest.mark.parametrize(
    ("below", "message"),
    [
        ({"b": "x = ["}, r"^b/ftc.toml: not valid TOML"),
        ({"b": A + "colour = 1\n"}, r"^b/ftc.toml:4: \[artifacts.a\] unknown key 'colour'"),
        ({"b": A + "secrets = ['TOKEN']\n"}, r"^b/ftc.toml:\d+: \[artifacts.a\] secrets: "),
        ({"x[y]": A}, r"^x\[y\]/ftc.toml: its folder 'x\[y\]' cannot be part of a name; expected printable text"),
        ({"b": "[tool.ftc]\nx = 1\n"}, r"^b/pyproject.toml:2: \[tool.ftc\] unknown key 'x'"),
    ],
)
def test_a_mistake_below_names_its_file(tmp_path: Path, below: dict[str, str], message: str) -> None:
    write(tmp_path, root="discover = true\n", **below)
    with pytest.raises(ConfigurationError, match=message):
        load_project(tmp_path, {})


def test_each_name_is_there_once(tmp_path: Path) -> None:
    write(tmp_path, root="discover = true\n" + A.replace(".a]", '."b:a"]'), b=A)
    with pytest.raises(
        ConfigurationError, match=r"^b/ftc.toml: the artifact 'a' would be 'b:a' here, as one of ftc.toml"
    ):
        load_project(tmp_path, {})


def test_a_folder_has_one_configuration(tmp_path: Path) -> None:
    write(tmp_path, root="discover = true\n", b=A)
    write(tmp_path, b="[tool.ftc]\njobs = 1\n")
    with pytest.raises(ConfigurationError, match=r"^b/ftc.toml and \[tool.ftc\] in pyproject.toml both configure"):
        load_project(tmp_path, {})


def test_their_number_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, root="discover = true\n", b=A, c=A)
    monkeypatch.setattr(join, "_MOST", 1)
    with pytest.raises(ConfigurationError, match=r"^c/ftc.toml: expected at most 1 configurations below"):
        load_project(tmp_path, {})


@pytest.mark.parametrize("wrong", ["'libs'", "[]", "[1]", "['.']"])
def test_folders_are_a_list_of_globs(tmp_path: Path, wrong: str) -> None:
    write(tmp_path, root=f"discover = {wrong}\n")
    with pytest.raises(ConfigurationError, match=r"^ftc.toml:1: discover: expected true, false, or a list of globs"):
        load_project(tmp_path, {})
