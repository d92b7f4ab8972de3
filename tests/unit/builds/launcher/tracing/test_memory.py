"""Reading the arguments of a call, from the memory of this process."""

import ctypes
import os
from pathlib import Path

import pytest

from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, peek, resolve_name
from pytest_ftc.builds.launcher.tracing.seccomp import Notification

TEXT = ctypes.create_string_buffer(b"folder/../name")
CALL = Notification(1, os.getpid(), "openat", 0, (0,) * 6)


def test_the_memory_of_the_caller_is_read():
    assert peek(CALL, ctypes.addressof(TEXT), 6) == b"folder"


def test_a_name_is_relative_to_the_current_folder_or_to_a_descriptor(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        assert resolve_name(CALL, descriptor, ctypes.addressof(TEXT)) == str(tmp_path / "name")
        assert resolve_name(CALL, AT_FDCWD, ctypes.addressof(TEXT)) == str(Path.cwd() / "name")
    finally:
        os.close(descriptor)


def test_slashes_at_the_start_are_one():
    for spelling in (b"/home/x", b"//home/x", b"///home/./x"):
        text = ctypes.create_string_buffer(spelling)
        assert resolve_name(CALL, AT_FDCWD, ctypes.addressof(text)) == "/home/x"


def test_nothing_is_read_once_the_call_is_no_longer_waiting():
    """The number of its thread could be that of another one by then."""
    other = os.open(os.devnull, os.O_RDONLY)  # reports no calls
    try:
        gone = CALL._replace(listener=other)
        assert CALL.is_waiting()
        assert not gone.is_waiting()
        with pytest.raises(ProcessLookupError):
            peek(gone, ctypes.addressof(TEXT), 6)
    finally:
        os.close(other)
