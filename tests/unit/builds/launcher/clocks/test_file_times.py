"""Times of files as a program gets them, written into the memory of this process."""

import ctypes
import os
import struct
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.clocks.file_places import Named, is_in_other_namespaces, translate_id
from pytest_ftc.builds.launcher.clocks.file_times import FileTimes, born
from pytest_ftc.builds.launcher.clocks.shown import Shown, stopped_at
from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Notification

SHIFT = 398 * 86400
MODIFIED = {"statx": 112}


class Listener:
    def __init__(self) -> None:
        self.answered: list[tuple[int, int]] = []

    def answer(self, _: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> None:
        self.answered.append((value or error, flags))


def ask(
    name: str, path: str | int, *, began: int = 0, flags: int = 0, native: bool = True, clock=None
) -> tuple[int, int]:
    """Return the modification time that the call `name` gets, 0 if the kernel is to give it, and the flags of the answer."""
    buffer = ctypes.create_string_buffer(256)
    text = ctypes.create_string_buffer(os.fsencode(path) if isinstance(path, str) else b"")
    first = AT_FDCWD if isinstance(path, str) else path
    where, into = ctypes.addressof(text), ctypes.addressof(buffer)
    arguments = {
        "stat": (where, into), "lstat": (where, into), "fstat": (first, into),
        "newfstatat": (first, where, into, flags), "statx": (first, where, flags, 0xFFF, into),
    }[name]  # fmt: skip
    times, listener = FileTimes(clock or Shown(SHIFT), began=began, prepared=began, user=False), Listener()
    times.saw_call(Notification(1, os.getpid(), name, 0, (*arguments, *[0] * (6 - len(arguments))), native), listener)
    ((value, answered),) = listener.answered
    assert value == 0
    return struct.unpack_from("=q", buffer, MODIFIED.get(name, 88))[0], answered


@pytest.mark.parametrize("name", ["stat", "lstat", "newfstatat", "statx"])
def test_a_file_of_the_build_is_as_old_as_the_clock_says(tmp_path, name):
    began = time.time_ns() - 10**9
    file = tmp_path / "file"
    file.touch()
    moment, answered = ask(name, str(file), began=began)
    assert answered == 0
    assert moment == int(file.stat().st_mtime) + SHIFT


def test_an_open_file_too(tmp_path):
    with (tmp_path / "file").open("w") as file:
        status = os.stat(file.fileno())
        for name, flags in (("fstat", 0), ("newfstatat", 0x1000), ("statx", 0x1000)):
            assert ask(name, file.fileno(), began=status.st_mtime_ns, flags=flags)[0] == int(status.st_mtime) + SHIFT


@pytest.mark.parametrize("name", ["stat", "newfstatat", "statx"])
def test_the_kernel_answers_about_older_and_missing_files(tmp_path, name):
    for path in (str(tmp_path / "missing"), sys.executable):
        assert ask(name, path, began=time.time_ns() + 10**9) == (0, CONTINUE)


@given(seconds=st.integers(0, 4 * 10**9))
def test_a_time_that_was_set_stays(tmp_path_factory, seconds):
    file = tmp_path_factory.mktemp("set") / "file"
    began = time.time_ns() - 10**9
    file.touch()
    os.utime(file, (seconds, seconds))
    if not began <= seconds * 10**9 <= time.time_ns():
        assert ask("stat", str(file), began=began) == (seconds, 0)


def test_a_link_is_followed_as_asked(tmp_path):
    began = time.time_ns() - 10**9
    (tmp_path / "file").touch()
    os.utime(tmp_path / "file", (5, 5))
    (tmp_path / "link").symlink_to("file")
    link = str(tmp_path / "link")
    own = int(os.lstat(link).st_mtime) + SHIFT
    assert ask("stat", link, began=began)[0] == ask("statx", link, began=began)[0] == 5
    assert ask("lstat", link, began=began)[0] == ask("newfstatat", link, began=began, flags=0x100)[0] == own


def test_names_of_the_process_itself_are_those_of_the_asking_one(tmp_path):
    read, write = os.pipe()
    try:
        named = Named(os.getpid(), AT_FDCWD, b"/dev/fd/%d" % read, follow=True)
        assert named.look().st_ino == os.stat(read).st_ino
    finally:
        os.close(read)
        os.close(write)


def test_a_link_into_proc_is_left_to_the_kernel(tmp_path):
    (tmp_path / "link").symlink_to("/proc/self/fd/0")
    with pytest.raises(OSError, match="openat2"):
        Named(os.getpid(), AT_FDCWD, os.fsencode(tmp_path / "link"), follow=True).open()


def test_32_bit_calls_are_named(tmp_path):
    (tmp_path / "file").touch()
    text = ctypes.create_string_buffer(os.fsencode(tmp_path / "file"))
    times, listener = FileTimes(Shown(SHIFT), began=0, prepared=0, user=False), Listener()
    times.saw_call(Notification(1, os.getpid(), "stat64", 0, (ctypes.addressof(text), 0, 0, 0, 0, 0), False), listener)
    assert listener.answered == [(0, CONTINUE)]
    assert list(times.unreached.values()) == ["asks for the time of a file by a 32-bit call"]


def test_this_process_is_in_its_own_namespaces():
    assert not is_in_other_namespaces(os.getpid())
    assert translate_id(os.getpid(), "uid", os.getuid()) == os.getuid()


def test_the_birth_of_a_file_is_not_later_than_its_last_change(tmp_path):
    before = time.time_ns() - 10**9
    assert before < born(str(tmp_path)) <= os.stat(tmp_path).st_ctime_ns


def test_files_of_one_build_have_one_time_where_the_clock_stands_still(tmp_path):
    began = time.time_ns() - 10**9
    for name in ("one", "two"):
        (tmp_path / name).touch()
        time.sleep(0.002)
        assert ask("stat", str(tmp_path / name), began=began, clock=stopped_at(10**9)) == (10**9, 0)
