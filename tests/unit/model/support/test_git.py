"""Running git."""

import subprocess

import pytest

from pytest_ftc.model.support.git import run_git


@pytest.fixture
def repository(tmp_path):
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        run_git(folder, "init", "-q")
        (folder / name).write_text("x")
        run_git(folder, "add", ".")
        run_git(folder, "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", name)
    return tmp_path


def test_it_answers_for_its_folder_whatever_a_hook_has_set(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(repository / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository / "other"))
    assert run_git(repository / "one", "log", "--format=%s").stdout == b"one\n"
    assert run_git(repository / "one", "ls-files").stdout == b"one\n"


def test_a_repository_cannot_have_a_program_started(repository):
    mark = repository / "started"
    hook = repository / "monitor"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(hook)], cwd=repository / "one", check=True)
    assert run_git(repository / "one", "status", "--porcelain").returncode == 0
    assert not mark.exists()


def test_names_are_not_quoted_and_what_is_given_is_its_input(repository):
    (repository / "one" / "é").write_text("x")
    assert "é".encode() in run_git(repository / "one", "status", "--porcelain").stdout
    assert run_git(repository / "one", "hash-object", "--stdin", given=b"x").stdout.strip().isalnum()


def test_only_the_given_variables_count(repository):
    with pytest.raises(OSError, match="git"):
        run_git(repository, "version", environ={"PATH": str(repository)})
