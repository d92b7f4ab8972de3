"""Which folders below a project are found to have a configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.written_files import NONE, WrittenFiles
from pytest_ftc.config.below import search
from pytest_ftc.config.below.search import find_configured
from pytest_ftc.model.errors import ConfigurationError

FOUND = ["apps/web", "libs/core"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders with configurations, of which some are to be found."""
    for folder in (
        ".", "libs/core", ".hidden", "libs/.hidden", "node_modules/a", "env/lib/python3/site-packages/a", "dist/app", "apps/build",
        "venv/a", "ftc-report/a",
    ):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "ftc.toml").touch()
    for folder, text in (("apps/web", "[tool.ftc]\n"), ("apps/other", "[project]\n"), ("apps/broken", "x = [")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "pyproject.toml").write_text(text)
    return tmp_path


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def test_without_git_folders_are_walked(tree: Path) -> None:
    (tree / "env2/a").mkdir(parents=True)
    (tree / "env2/pyvenv.cfg").touch()
    (tree / "env2/a/ftc.toml").touch()
    (tree / "linked").symlink_to("libs")
    assert find_configured(tree, True, NONE) == FOUND


def test_globs_choose_folders_with_what_is_in_them(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_MOST_FILES", 1)
    assert find_configured(tree, ("libs", "ap"), NONE) == ["libs/core"]
    assert find_configured(tree, ("*/core",), NONE) == ["libs/core"]


def test_git_says_what_is_ignored(tree: Path) -> None:
    git(tree, "init", "-q")
    (tree / "ignored").mkdir()
    (tree / "ignored/ftc.toml").touch()
    (tree / ".gitignore").write_text("ignored\n")
    git(tree, "add", "libs")
    (tree / "libs/gone").mkdir()
    (tree / "libs/gone/ftc.toml").touch()
    git(tree, "add", "libs")
    (tree / "libs/gone/ftc.toml").unlink()
    assert find_configured(tree, True, NONE) == FOUND


def test_what_the_session_writes_is_not_searched(tree: Path) -> None:
    assert find_configured(tree, True, WrittenFiles([tree / "libs"])) == ["apps/web"]


def test_the_search_is_bounded(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_MOST_FILES", 3)
    with pytest.raises(
        ConfigurationError, match=r"^discover: expected at most 3 files named pyproject.toml or ftc.toml"
    ):
        find_configured(tree, True, NONE)
    monkeypatch.setattr(search, "_MOST_FOLDERS", 3)
    with pytest.raises(ConfigurationError, match=r"^discover: expected at most 3 folders below .*, found more; put"):
        find_configured(tree, True, NONE)
    monkeypatch.undo()
    monkeypatch.setattr(search, "_LARGEST", 5)
    with pytest.raises(ConfigurationError, match=r"^apps/other/pyproject.toml: expected at most 5 bytes, found more"):
        find_configured(tree, True, NONE)
