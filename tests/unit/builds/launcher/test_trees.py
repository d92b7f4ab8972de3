import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.trees import copy_tree, remove_tree


def make_tree(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/script").write_text("#!/bin/sh\n")
    (folder / "sub/script").chmod(0o755)
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "fifo")
    for path in (folder / "sub/script", folder / "sub"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return folder


def test_a_copy_keeps_types_modes_and_times(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source")
    (tmp_path / "copy").mkdir()
    assert copy_tree(str(source), str(tmp_path / "copy")) == []
    copy = tmp_path / "copy"
    assert (copy / "sub/script").stat().st_mode & 0o777 == 0o755
    assert (copy / "sub/script").stat().st_mtime == (copy / "sub").stat().st_mtime == 1_000_000_000
    assert (copy / "dangling").readlink() == Path("nowhere")
    assert (copy / "fifo").is_fifo()


def test_times_move_by_the_shift(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source")
    (tmp_path / "copy").mkdir()
    copy_tree(str(source), str(tmp_path / "copy"), mtime_shift=-3600)
    assert (tmp_path / "copy/sub/script").stat().st_mtime == 1_000_000_000 - 3600
    assert (tmp_path / "copy/dangling").lstat().st_mtime == (source / "dangling").lstat().st_mtime - 3600


def test_no_time_moves_to_before_what_zip_can_store(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "copy").mkdir()
    for name, moment in (("recent", 1_700_000_000), ("epoch", 315_532_800)):
        (tmp_path / "source" / name).write_text("x")
        os.utime(tmp_path / "source" / name, (moment, moment))
    copy_tree(str(tmp_path / "source"), str(tmp_path / "copy"), mtime_shift=-(1 << 25))
    assert (tmp_path / "copy/recent").stat().st_mtime == 1_700_000_000 - (1 << 25)
    assert (tmp_path / "copy/epoch").stat().st_mtime == 315_532_800 + (1 << 25)


def test_sockets_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "copy").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "source/sock"))
        assert copy_tree(str(tmp_path / "source"), str(tmp_path / "copy")) == [str(tmp_path / "source/sock")]
    assert list((tmp_path / "copy").iterdir()) == []


def test_locked_folders_are_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    victim = make_tree(tmp_path / "victim")
    (victim / "escape").symlink_to(outside)
    (victim / "sub").chmod(0)
    remove_tree(str(victim))
    assert not victim.exists()
    assert (outside / "kept").read_text() == "kept"


@pytest.mark.parametrize(
    ("mode", "umask", "expected"),
    [
        (0o644, 0o077, 0o600),
        (0o600, 0o077, 0o644),
        (0o755, 0o027, 0o750),
        (0o644, 0o002, 0o664),
        (0o664, 0o002, 0o644),
        (0o400, 0o002, 0o444),
        (0o500, 0o077, 0o555),
        (0o4755, 0o077, 0o4700),
        (0o555, 0o002, 0o500),
        (0o644, None, 0o644),
    ],
)
def test_modes_are_as_under_another_umask(tmp_path: Path, mode: int, umask: int | None, expected: int) -> None:
    for name in ("source", "copy"):
        (tmp_path / name).mkdir()
    (tmp_path / "source/file").touch()
    (tmp_path / "source/file").chmod(mode)
    copy_tree(str(tmp_path / "source"), str(tmp_path / "copy"), umask=umask)
    assert stat.S_IMODE((tmp_path / "copy/file").stat().st_mode) == expected


@given(st.integers(0o400, 0o777), st.sampled_from([0o077, 0o027, 0o002]))
def test_another_umask_changes_some_bit_of_group_or_others_and_none_of_the_owner(mode: int, umask: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, copy = Path(folder, "source"), Path(folder, "copy")
        source.mkdir()
        copy.mkdir()
        (source / "file").touch()
        (source / "file").chmod(mode)
        copy_tree(str(source), str(copy), umask=umask)
        changed = stat.S_IMODE((copy / "file").stat().st_mode)
    assert changed & ~0o077 == mode & ~0o077
    assert changed != mode


@pytest.mark.parametrize(("mode", "expected"), [(0o755, 0o775), (0o775, 0o755), (0o700, 0o775)])
def test_folders_stay_open_to_all(tmp_path: Path, mode: int, expected: int) -> None:
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub").chmod(mode)
    (tmp_path / "copy").mkdir()
    copy_tree(str(tmp_path / "source"), str(tmp_path / "copy"), umask=0o077)
    assert stat.S_IMODE((tmp_path / "copy/sub").stat().st_mode) == expected


def test_removing_a_folder_that_stays_does_not_change_the_one_it_is_in(tmp_path, monkeypatch):
    above = tmp_path / "above"
    (above / "work").mkdir(parents=True)
    above.chmod(0o755)

    def busy(*_arguments, **_more):
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(os, "rmdir", busy)
    remove_tree(str(above / "work"))
    assert (above / "work").exists()
    assert stat.S_IMODE(above.stat().st_mode) == 0o755
