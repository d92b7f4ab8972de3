import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.snapshot import SnapshotCache, capture_source, list_sources
from pytest_ftc.model.errors import ExecutionError, SourceError

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/tracked").write_text("tracked")
    (project / ".gitignore").write_text("ignored\n")
    (project / "gone").write_text("gone")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    (project / "gone").unlink()
    (project / "untracked").write_text("untracked")
    (project / "ignored").write_text("ignored")
    return project


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "snapshot").mkdir()
    return tmp_path / "snapshot"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_git_says_what_is_source(repository: Path, target: Path) -> None:
    snapshot = capture_source(repository, target)
    assert files(target) == {".gitignore", "src/tracked", "untracked"}
    assert snapshot.git_dir == repository / ".git"
    assert snapshot.commit_time == 1_000_000_000
    assert snapshot.notes == ()


def test_a_folder_below_a_repository_takes_only_its_own_files(repository: Path, target: Path) -> None:
    snapshot = capture_source(repository / "src", target)
    assert files(target) == {"tracked"}
    assert snapshot.git_dir is None
    assert snapshot.commit_time == 1_000_000_000


def test_an_ignored_folder_is_taken_whole(repository: Path, target: Path) -> None:
    (repository / ".gitignore").write_text("vendor\n")
    (repository / "vendor").mkdir()
    (repository / "vendor/file").write_text("x")
    capture_source(repository / "vendor", target)
    assert files(target) == {"file"}


def test_without_git_the_folder_is_taken_but_for_caches(tmp_path: Path, target: Path) -> None:
    project = tmp_path / "plain"
    (project / "__pycache__").mkdir(parents=True)
    (project / "__pycache__/x.pyc").write_text("x")
    (project / "file").write_text("file")
    snapshot = capture_source(project, target)
    assert files(target) == {"file"}
    assert snapshot.commit_time is None


def test_a_submodule_is_source_too(repository: Path, tmp_path: Path, target: Path, git: Git) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(repository), "inner")
    assert set(list_sources(outer)) == {".gitmodules", "inner/.gitignore", "inner/gone", "inner/src/tracked"}
    capture_source(outer, target)
    assert "inner/src/tracked" in files(target)


def test_a_worktree_finds_its_repository(repository: Path, tmp_path: Path, target: Path, git: Git) -> None:
    worktree = tmp_path / "worktree"
    git(repository, "worktree", "add", "-q", str(worktree))
    snapshot = capture_source(worktree, target)
    assert snapshot.git_dir is None
    assert snapshot.git_link == repository / ".git"
    assert git(target, "rev-parse", "HEAD") == git(repository, "rev-parse", "HEAD")


def test_hostile_names_and_types_are_copied_or_named(tmp_path: Path, target: Path) -> None:
    project = tmp_path / "odd"
    project.mkdir()
    for name in (b"new\nline", b"latin-\xe9", b"n" * 255, b"-rf"):
        Path(os.fsdecode(os.fsencode(project) + b"/" + name)).write_bytes(name)
    (project / "dangling").symlink_to("nowhere")
    (project / "absolute").symlink_to("/etc/passwd")
    os.mkfifo(project / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(project / "sock"))
        snapshot = capture_source(project, target)
    assert set(os.listdir(os.fsencode(target))) == {
        b"new\nline", b"latin-\xe9", b"n" * 255, b"-rf", b"dangling", b"absolute", b"fifo",
    }  # fmt: skip
    assert snapshot.notes == ("sock is a socket or device file and was omitted",)


def test_a_git_that_refuses_is_told(repository: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / ".git/config").write_text("[broken")
    snapshot = capture_source(repository, target)
    assert "ignored" in files(target)
    assert snapshot.notes[0].startswith("the whole folder was copied, including ignored files: fatal: bad config")


@pytest.mark.parametrize("hidden_git", [True, False])
def test_git_hooks_variables_do_not_mislead(
    repository: Path, target: Path, monkeypatch: pytest.MonkeyPatch, hidden_git: bool
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    if hidden_git:
        monkeypatch.setenv("PATH", "/nonexistent")
    capture_source(repository, target)
    assert ("ignored" in files(target)) == hidden_git


def test_an_unreadable_file_is_one_clear_error(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/file").write_text("x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "project/file"))

    # Root reads everything, so the refusal itself is what has to be put in place.
    monkeypatch.setattr("pytest_ftc.builds.launcher.trees._copy_file", refuse)
    with pytest.raises(SourceError, match="cannot read the source .*file: Permission denied"):
        capture_source(tmp_path / "project", target)


def test_each_folder_is_captured_once(repository: Path, tmp_path: Path) -> None:
    cache = SnapshotCache(tmp_path / "cache")
    first = cache.capture(repository)
    (repository / "later").write_text("later")
    assert cache.capture(repository) is first
    assert not (first.path / "later").exists()


def test_after_a_full_disk_the_next_artifact_tries_again(tmp_path: Path, target: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/file").write_bytes(bytes(1000))
    cache = SnapshotCache(target)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # So small that the copy fails with EFBIG, as on a full disk with ENOSPC.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        for _ in range(2):
            with pytest.raises(ExecutionError, match="File too large on this machine"):
                cache.capture(tmp_path / "source")
            assert list(target.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files(cache.capture(tmp_path / "source").path) == {"file"}
