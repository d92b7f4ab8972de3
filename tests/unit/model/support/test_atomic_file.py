"""A file holds all of the new content, or all of the old."""

import os

import pytest

from pytest_ftc.model.support.atomic_file import replace_file, replacement, umask


def test_content_mode_and_time_are_as_asked_for(tmp_path):
    file = tmp_path / "file"
    replace_file(file, b"one")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"one", 0o666 & ~umask())
    replace_file(file, b"two", mode=0o600, mtime_ns=5_000_000_000, durable=False)
    assert (file.read_bytes(), file.stat().st_mode & 0o777, file.stat().st_mtime) == (b"two", 0o600, 5)


def test_a_failure_leaves_the_old_content_and_no_other_file(tmp_path, monkeypatch):
    file = tmp_path / "file"
    replace_file(file, b"old")

    def fail(_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is full"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_written_in_parts_takes_the_place_of_the_old_only_at_the_end(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with replacement(file) as part:
        part.write(b"new, ")
        assert file.read_bytes() == b"old"
        part.write(b"in parts")
    assert file.read_bytes() == b"new, in parts"
    with pytest.raises(KeyError), replacement(file) as part:
        part.write(b"half")
        raise KeyError
    assert (file.read_bytes(), os.listdir(tmp_path)) == (b"new, in parts", ["file"])
