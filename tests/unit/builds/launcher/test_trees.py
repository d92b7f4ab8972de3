import os
import socket
from pathlib import Path

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
