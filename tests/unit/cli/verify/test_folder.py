"""The folder that declares what a command line asks to verify."""

import os
import time

import pytest

from pytest_ftc.cli.verify.ad_hoc import read_ad_hoc
from pytest_ftc.cli.verify.folder import write_folder
from pytest_ftc.cli.verify.words import read_words
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError


@pytest.fixture
def source(tmp_path, monkeypatch):
    folder = tmp_path / "source"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(parent, *arguments):
    return write_folder(read_ad_hoc(read_words(arguments)), parent)


def test_the_same_question_has_the_same_folder(source, tmp_path):
    folder = write(tmp_path / "cache", "make \"a\" 'b' \\", "o*")
    [artifact] = load_project(folder, {}).artifacts
    assert (artifact.build, artifact.outputs, artifact.source) == ("make \"a\" 'b' \\", ("o*",), source)
    assert write(tmp_path / "cache", "make \"a\" 'b' \\", "o*") == folder
    assert write(tmp_path / "cache", "make", "o*") != folder
    assert list(source.iterdir()) == []


def test_folders_long_unused_are_removed(source, tmp_path):
    old, new = write(tmp_path / "cache", "true", "a"), write(tmp_path / "cache", "true", "b")
    os.utime(old, (0, time.time() - 40 * 86400))
    write(tmp_path / "cache", "true", "c")
    assert not old.exists()
    assert new.exists()


def test_where_the_cache_cannot_be_written_a_temporary_folder_serves(source, tmp_path):
    (tmp_path / "cache").touch()
    folder = write(tmp_path / "cache", "true", "a")
    assert (folder / "ftc.toml").is_file()
    assert tmp_path not in folder.parents


def test_only_the_files_that_match_are_the_source(source, tmp_path):
    (source / "a.c").write_text("a")
    (source / "b.c").symlink_to("a.c")
    (source / "c.h").touch()
    (source / "sub" / "deeper").mkdir(parents=True)
    (source / "sub" / "deeper" / "d.txt").touch()
    os.utime(source / "a.c", (1, 1))
    arguments = ("true", "out", "--source-pattern", "*.c sub")
    copy = load_project(write(tmp_path / "cache", *arguments), {}).artifacts[0].source
    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*")) == [
        "a.c", "b.c", "sub", "sub/deeper", "sub/deeper/d.txt",
    ]  # fmt: skip
    assert (copy / "a.c").stat().st_mtime == 1
    assert (copy / "b.c").readlink().as_posix() == "a.c"
    (source / "a.c").write_text("new")
    assert (load_project(write(tmp_path / "cache", *arguments), {}).artifacts[0].source / "a.c").read_text() == "new"


@pytest.mark.parametrize("pattern", ["*.x", "/etc/passwd", "../*"])
def test_a_pattern_must_match_inside_the_source(source, tmp_path, pattern):
    with pytest.raises(ConfigurationError, match="--source-pattern: nothing in"):
        write(tmp_path / "cache", "true", "out", f"--source-pattern={pattern}")


def test_what_is_not_text_is_refused(source, tmp_path):
    with pytest.raises(ConfigurationError, match="in UTF-8"):
        write(tmp_path / "cache", "cat \udcff", "out")
