"""Projects under git, in each form in which git lays them out."""

import pytest

BUILD = "git describe --always --dirty > out; git archive HEAD | sha256sum >> out; cat file >> out; git status --short >> out"


@pytest.fixture
def repository(project, git):
    (project / ".gitignore").write_text(".pytest_cache\nrunpytest*\nstdout\nstderr\nignored\n")
    (project / "file").write_text("content")
    (project / "ftc.toml").write_text(f"[artifacts.app]\nbuild = '{BUILD}'\noutputs = ['out']\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    return project


def test_a_repository_is_seen_by_its_build_and_not_written(repository, verify, git):
    index = (repository / ".git/index").read_bytes()
    run = verify()
    assert run.verdicts == {"app": "reproducible"}, run.text
    assert (repository / ".git/index").read_bytes() == index
    assert git(repository, "status", "--short") == ""


@pytest.mark.parametrize("refresh", ["", "git update-index -q --refresh && "])
def test_a_clean_checkout_is_clean_for_scripts_too(repository, verify, git, refresh):
    """As git-version-gen of gnulib and many Makefiles ask, with and without a refresh of the index."""
    build = f"{refresh}git diff-index --quiet HEAD && echo clean > out || date > out"
    (repository / "ftc.toml").write_text(f"[artifacts.app]\nbuild = '{build}'\noutputs = ['out']\n")
    git(repository, "commit", "-qam", "describe")
    index = (repository / ".git/index").read_bytes()
    (repository / ".git/index.lock").touch()  # an editor looks at the repository at the moment
    run = verify()
    (repository / ".git/index.lock").unlink()
    assert run.verdicts == {"app": "reproducible"}, run.text
    assert (repository / ".git/index").read_bytes() == index
    (repository / "file").write_text("changed")
    assert verify().verdicts == {"app": "unreproducible"}


def test_a_worktree(repository, verify, git, pytester, monkeypatch):
    worktree = repository.parent / f"{repository.name}-worktree"
    git(repository, "worktree", "add", "-q", str(worktree))
    monkeypatch.chdir(worktree)
    result = pytester.runpytest_subprocess("--ftc-verify", "--rootdir", str(worktree), str(worktree))
    result.assert_outcomes(passed=1)


def test_a_submodule(repository, verify, git, project, tmp_path_factory, monkeypatch, pytester):
    outer = tmp_path_factory.mktemp("outer")
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(repository), "inner")
    git(outer, "commit", "-qm", "outer")
    (outer / "pytest.ini").write_text("[pytest]\n")
    (outer / "ftc.toml").write_text(
        "[artifacts.app]\nbuild = 'cat inner/file > out; git -C inner log --format=%H >> out'\noutputs = ['out']\n"
    )
    monkeypatch.chdir(outer)
    pytester.runpytest_subprocess("--ftc-verify", "--rootdir", str(outer), str(outer)).assert_outcomes(passed=1)


def test_the_time_of_the_last_commit(repository, verify):
    run = verify(
        """
        [artifacts.app]
        build = "echo $SOURCE_DATE_EPOCH > out"
        outputs = ["out"]
        source_date_epoch = "git"
        """
    )
    assert run.verdicts == {"app": "reproducible"}


def test_the_time_of_the_last_commit_without_a_commit_is_an_error(verify):
    run = verify('[artifacts.app]\nbuild = "touch out"\noutputs = ["out"]\nsource_date_epoch = "git"\n')
    assert run.verdicts == {"app": "error"}
    assert "not in a git repository" in run.flat
