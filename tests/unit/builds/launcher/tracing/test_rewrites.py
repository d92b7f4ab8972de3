"""Which files a build wrote, and of which it only set the times."""

import ctypes
import os
from pathlib import Path

import pytest

from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD
from pytest_ftc.builds.launcher.tracing.rewrites import Rewrites
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Notification

BEFORE = 1_000_000_000_000_000_001
_TRUNCATING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class Listener:
    def __init__(self) -> None:
        self.answered: list[int] = []

    def answer(self, _: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> None:
        assert not value and not error
        self.answered.append(flags)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("x")
    os.utime(tmp_path / "file", ns=(BEFORE, BEFORE))
    return tmp_path / "file"


def set_times(rewrites: Rewrites, path: Path, nanoseconds: int) -> None:
    rewrites.sets_times(path.stat())
    os.utime(path, ns=(nanoseconds, nanoseconds))


def only_set(rewrites: Rewrites, path: Path) -> bool:
    status = path.stat()
    return rewrites.only_set_time(status, BEFORE) and not rewrites.made(str(path), status)


def test_a_file_that_was_touched_was_not_written(path):
    rewrites = Rewrites()
    for when in (BEFORE + 5, BEFORE + 9):
        rewrites.opened(str(path), os.O_WRONLY | os.O_CREAT)
        set_times(rewrites, path, when)
    assert only_set(rewrites, path)


@pytest.mark.parametrize("order", ["wt", "tw", "twt", "Wt", "tW"])
def test_a_file_that_was_also_written_to_was(path, order):
    rewrites = Rewrites()
    for number, step in enumerate(order):
        if step == "t":
            set_times(rewrites, path, BEFORE + number)
        else:
            rewrites.opened(str(path), _TRUNCATING if step == "W" else os.O_RDWR)
            with path.open("w" if step == "W" else "r+") as file:
                file.write("x")
    assert not only_set(rewrites, path)


def test_a_file_made_under_its_name_was_written_whatever_its_time(path):
    rewrites = Rewrites()
    path.unlink()
    rewrites.opened(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    path.write_text("x")
    assert rewrites.made(str(path), path.stat())


def test_reading_is_no_writing(path):
    rewrites = Rewrites()
    rewrites.opened(str(path), os.O_RDONLY)
    assert not rewrites.made(str(path), path.stat())
    assert not rewrites.only_set_time(path.stat(), BEFORE)


@pytest.mark.parametrize("call", ["utimensat", "utimensat_time64", "futimesat", "utimes", "utime", "futimens"])
def test_each_call_that_sets_times_is_carried_out_and_noticed(path, call):
    rewrites, listener = Rewrites(), Listener()
    name = ctypes.create_string_buffer(os.fsencode(path))
    arguments = (AT_FDCWD, ctypes.addressof(name), 0, 0)
    with path.open() as file:
        if call == "futimens":
            call, arguments = "utimensat", (file.fileno(), 0, 0, 0)
        elif not call.endswith(("at", "64")):
            arguments = (ctypes.addressof(name), 0, 0, 0)
        rewrites.saw_call(Notification(1, os.getpid(), call, 0, (*arguments, 0, 0)), listener)
    os.utime(path)
    assert only_set(rewrites, path)
    assert listener.answered == [CONTINUE]
