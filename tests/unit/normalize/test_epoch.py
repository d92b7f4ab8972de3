"""The timestamp that is stored everywhere."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.epoch import FIRST_ZIP_EPOCH
from pytest_ftc.normalize.epoch import choose_epoch

WHEN = 1_600_000_000
ENVIRON = {
    **{name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"},
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


@pytest.fixture
def repository(tmp_path):
    def git(*words):
        names = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"), "n")
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{WHEN} +0200")
        subprocess.run(["git", *words], cwd=tmp_path, check=True, env={**ENVIRON, **names, **dates})

    git("init", "-q")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "a.tar").touch()
    git("add", ".")
    git("commit", "-qm", "x")
    return tmp_path


@pytest.mark.parametrize(
    ("choice", "variable", "expected"),
    [
        (None, None, WHEN),
        ("git", None, WHEN),
        ("git", "5", WHEN),
        (None, "5", 5),
        ("7", "5", 7),
        ("unset", "5", FIRST_ZIP_EPOCH),
    ],
)
def test_what_was_chosen_comes_before_the_variable_and_that_before_the_commit(repository, choice, variable, expected):
    environ = ENVIRON if variable is None else {**ENVIRON, "SOURCE_DATE_EPOCH": variable}
    assert choose_epoch(choice, repository / "dist" / "a.tar", environ) == expected


def test_the_repository_is_that_of_the_file_and_not_of_a_link_to_it(repository, tmp_path_factory):
    link = tmp_path_factory.mktemp("elsewhere") / "dist"
    link.symlink_to(repository / "dist")
    assert choose_epoch(None, link / "a.tar", ENVIRON) == WHEN


def test_outside_a_repository_the_time_is_a_fixed_one_unless_the_commit_is_asked_for(tmp_path):
    assert choose_epoch(None, tmp_path / "a.tar", ENVIRON) == FIRST_ZIP_EPOCH
    with pytest.raises(NormalizationError, match="not a git repository"):
        choose_epoch("git", tmp_path / "a.tar", ENVIRON)


def test_without_git_that_is_said(repository, tmp_path):
    with pytest.raises(NormalizationError, match="cannot run git"):
        choose_epoch("git", repository / "a.tar", {"PATH": str(tmp_path / "dist")})


@given(
    st.text(max_size=8).filter(lambda text: not (text.isascii() and text.isdigit()) and text not in ("git", "unset"))
)
def test_anything_else_is_no_time(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    with pytest.raises(NormalizationError, match="expected a number of seconds"):
        choose_epoch(text, folder / "a.tar", ENVIRON)
    with pytest.raises(NormalizationError, match="SOURCE_DATE_EPOCH is"):
        choose_epoch(None, folder / "a.tar", {**ENVIRON, "SOURCE_DATE_EPOCH": text})


def test_a_file_in_no_folder(tmp_path):
    with pytest.raises(NormalizationError, match="No such file"):
        choose_epoch("7", tmp_path / "gone" / "a.tar", ENVIRON)
