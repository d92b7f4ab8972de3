"""What git tells to have changed."""

import pytest

from pytest_ftc.builds.inputs.changes import changed_sources, names_commit
from pytest_ftc.model.errors import SourceError


@pytest.fixture
def repository(tmp_path, git):
    for name in ("a", "ab", "c/d", "e"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(name)
    (tmp_path / ".gitignore").write_text("*.o\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    git(tmp_path, "checkout", "-q", "-b", "topic")
    return tmp_path


def changed(repository, since="main"):
    sources = [repository, *(repository / name for name in ("a", "ab", "c", "c/d", "e"))]
    return {str(source.relative_to(repository)) for source in changed_sources(repository, since, sources)}


def test_nothing_has_changed_where_nothing_has(repository):
    (repository / "a" / "x.o").write_text("ignored")
    assert changed(repository) == set()


def test_commits_edits_new_files_and_removed_ones_count(repository, git):
    (repository / "a" / "file").write_text("committed")
    git(repository, "commit", "-q", "-a", "-m", "second")
    assert changed(repository) == {".", "a"}
    (repository / "c" / "d" / "new \n name").write_text("untracked")
    assert changed(repository) == {".", "a", "c", "c/d"}
    (repository / "e" / "file").unlink()
    assert changed(repository) == {".", "a", "c", "c/d", "e"}


def test_what_was_moved_has_changed_where_it_was_too(repository, git):
    git(repository, "mv", "a/file", "e/other")
    git(repository, "commit", "-q", "-m", "moved")
    assert changed(repository) == {".", "a", "e"}


def test_what_lies_in_a_submodule_has_changed_with_it(repository, git, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "inner").mkdir()
    (other / "inner" / "file").write_text("inner")
    git(other, "init", "-q", "-b", "main")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "other")
    git(repository, "submodule", "add", "-q", str(other), "sub")
    git(repository, "commit", "-q", "-m", "submodule")
    inner = repository / "sub" / "inner"
    assert changed_sources(repository, "main", [inner, repository / "a"]) == {inner}


def test_what_the_other_branch_has_done_meanwhile_does_not_count(repository, git):
    git(repository, "checkout", "-q", "main")
    (repository / "a" / "file").write_text("theirs")
    git(repository, "commit", "-q", "-a", "-m", "theirs")
    git(repository, "checkout", "-q", "topic")
    assert changed(repository) == set()


def test_a_commit_without_common_history_is_compared_with_as_it_is(repository, git):
    git(repository, "checkout", "-q", "--orphan", "other")
    (repository / "e" / "file").write_text("other")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "other")
    assert changed(repository) == {".", "e"}


@pytest.mark.parametrize("name", ["nowhere", "0" * 40, "--help", ""])
def test_what_names_no_commit_is_refused(repository, name):
    assert not names_commit(repository, name)
    with pytest.raises(SourceError, match="is not a commit"):
        changed(repository, name)


def test_without_a_repository_nothing_names_a_commit(tmp_path):
    assert not names_commit(tmp_path, "HEAD")
