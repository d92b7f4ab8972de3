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


def spec(tree):
    return {"build_path": str(tree), "isolation": "none"}


def changed(tree):
    told = subprocess.run(["git", "diff-index", "--name-only", "HEAD"], cwd=tree, check=True, capture_output=True)
    return told.stdout.split()


def test_files_with_other_times_are_no_changed_ones(tree):
    assert changed(tree) == [b"a"]
    refresh_index(spec(tree))
    assert changed(tree) == []
    (tree / "a").write_text("2")
    refresh_index(spec(tree))
    assert changed(tree) == [b"a"]


@pytest.mark.parametrize("name", ["index", "config"])
def test_what_a_link_leads_to_is_not_written(tree, tmp_path, name):
    kept = tmp_path / name
    (tree / ".git" / name).rename(kept)
    (tree / ".git" / name).symlink_to(kept)
    before = kept.read_bytes(), (tree / ".git/index").read_bytes()
    refresh_index(spec(tree))
    assert (kept.read_bytes(), (tree / ".git/index").read_bytes()) == before


def test_without_a_repository_nothing_happens(tmp_path):
    refresh_index(spec(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_git_has_no_more_rights_than_the_build(tree):
    """Settings of a repository may name programs to run, such as filters of contents."""
    tell = "grep NoNewPrivs /proc/self/status >> ../told; cat"
    for name, value in (("filter.tell.clean", tell), ("core.fsmonitor", "touch ../fsmonitor")):
        subprocess.run(["git", "config", name, value], cwd=tree, check=True)
    hook = tree / ".git/hooks/post-index-change"
    hook.write_text("#!/bin/sh\ntouch ../hook\n")
    hook.chmod(0o755)
    (tree / ".git/info/attributes").write_text("a filter=tell\n")
    refresh_index(spec(tree))
    assert set((tree.parent / "told").read_text().splitlines()) == {"NoNewPrivs:\t1"}
    assert sorted(path.name for path in tree.parent.iterdir()) == ["told", "tree"]
