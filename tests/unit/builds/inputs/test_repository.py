"""What of a git repository leaves this machine."""

import subprocess
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.repository import measure, move_link, public_settings
from pytest_ftc.model.errors import SourceError

TOKEN = "gh0-token-of-test"
SETTINGS = f"""\
[core]
\trepositoryformatversion = 0
\tworktree = ../../tree
\tsshCommand = ssh -i /secret
[http "https://example.org/"]
\textraheader = AUTHORIZATION: basic {TOKEN}
[remote "or\\"igin"]
\turl = https://user:{TOKEN}@example.org/a.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[remote "other"]
\turl = ssh://git:{TOKEN}@example.org/a.git
[include]
\tpath = /secret
[branch "main"]
\tremote = "or\\"igin"
"""


def list_settings(tmp_path: Path, data: bytes) -> list[str]:
    (tmp_path / "written").write_bytes(data)
    done = subprocess.run(
        ["git", "config", "--file", tmp_path / "written", "--list"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("linked", [False, True])
def test_settings_keep_what_builds_read_and_lose_credentials_and_commands(tmp_path, linked):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "config").write_text(SETTINGS)
    found = public_settings(folder, linked=linked)
    assert list_settings(tmp_path, found["config"]) == [
        "core.repositoryformatversion=0",
        *([] if linked else ["core.worktree=../../tree"]),
        'remote.or"igin.url=https://example.org/a.git',
        'remote.or"igin.fetch=+refs/heads/*:refs/remotes/origin/*',
        "remote.other.url=ssh://git@example.org/a.git",
        'branch.main.remote=or"igin',
    ]


def test_those_of_submodules_and_worktrees_are_found_too(tmp_path):
    for folder in ("modules/inner", "worktrees/one", "objects/config"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "modules/inner/config").write_text(SETTINGS)
    (tmp_path / "worktrees/one/config.worktree").write_text("[core]\n\tbare = false\n")
    found = public_settings(tmp_path, linked=True)
    assert sorted(found) == ["modules/inner/config", "worktrees/one/config.worktree"]
    assert TOKEN.encode() not in found["modules/inner/config"]
    assert b'worktree = "../../tree"' in found["modules/inner/config"]


def test_a_link_points_to_where_the_repository_will_be(tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    (tmp_path / ".git").write_text(f"gitdir: {repository}/worktrees/one\n")
    assert move_link(tmp_path, repository, "/ftc-repository") == b"gitdir: /ftc-repository/worktrees/one\n"
    (tmp_path / ".git").write_text(f"gitdir: {repository}\n")
    assert move_link(tmp_path, repository, "/ftc-repository") == b"gitdir: /ftc-repository\n"


@pytest.mark.parametrize("link", ["gitdir: /elsewhere\n", "no link\n"])
def test_a_link_elsewhere_is_refused(tmp_path, link):
    (tmp_path / ".git").write_text(link)
    with pytest.raises(SourceError, match="does not point into its repository"):
        move_link(tmp_path, tmp_path / "repository", "/a")


def test_a_repository_is_as_large_as_its_files(tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "pack").write_bytes(b"0123456789")
    (tmp_path / "HEAD").write_bytes(b"x")
    assert measure(tmp_path) == 11
