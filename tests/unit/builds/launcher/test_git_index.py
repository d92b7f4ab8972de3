"""The index of git in a build: that of a copy only."""

import os
import subprocess

import pytest

from pytest_ftc.builds.launcher.git_index import refresh_index


@pytest.fixture
def tree(tmp_path):
    """A clean checkout whose files have other times than its index."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("1")
    for arguments in (
        ["init", "-q"],
        ["add", "a"],
        ["-c", "user.name=x", "-c", "user.email=y", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", *arguments], cwd=tree, check=True)
    os.utime(tree / "a", (10**9, 10**9))
    return tree


def changed(tree):
    told = subprocess.run(["git", "diff-index", "--name-only", "HEAD"], cwd=tree, check=True, capture_output=True)
    return told.stdout.split()


def test_files_with_other_times_are_no_changed_ones(tree):
    assert changed(tree) == [b"a"]
    refresh_index(str(tree))
    assert changed(tree) == []
    (tree / "a").write_text("2")
    refresh_index(str(tree))
    assert changed(tree) == [b"a"]


@pytest.mark.parametrize("name", ["index", "config"])
def test_what_a_link_leads_to_is_not_written(tree, tmp_path, name):
    kept = tmp_path / name
    (tree / ".git" / name).rename(kept)
    (tree / ".git" / name).symlink_to(kept)
    before = kept.read_bytes(), (tree / ".git/index").read_bytes()
    refresh_index(str(tree))
    assert (kept.read_bytes(), (tree / ".git/index").read_bytes()) == before


def test_without_a_repository_nothing_happens(tmp_path):
    refresh_index(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
