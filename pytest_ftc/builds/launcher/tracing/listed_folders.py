"""The order in which folders are listed that the build made or changed: by name, or by name in reverse order.

File systems list in an order of their own, see readdir(3), and two of them may list the few files of a small folder
alike.  Folders that are as they were when the build began keep the order of their file system.

Needs calls that no signal interrupts while they are answered: the answer moves the position in the folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import time

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.collecting.output_links import FILE_CLOCK_TICK
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing.memory import folder_of, write_answer
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Listener, Notification, Rule, take_descriptor
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_OF_THE_KERNEL = ("/proc/", "/sys/")
"""Folders with what the kernel makes up when it is looked at."""
_LARGEST = 1 << 20
"""Bytes of the largest listing that is put in order: hardly two file systems list so many files alike."""
# struct linux_dirent64, see getdents64(2): inode, offset of the next entry, length of this one, type; then its name.
_ENTRY = struct.Struct("=QqHB")
_AT_OFFSET = 8


class ListedFolders(Watcher):
    """Lists folders by name where the build has made or changed them; the names come in `reverse` order if asked."""

    rules = (Rule("getdents64"),)

    def __init__(self, *, reverse: bool) -> None:
        self._reverse = reverse
        self._buffer = ctypes.create_string_buffer(_LARGEST)
        self._number = this_processor().calls["getdents64"]
        # What is changed from now on must have a later time: the clock for files has ticks, but not for what was
        # looked at, see "Multigrain Timestamps" in the kernel's documentation.
        self._since = time.time_ns()
        time.sleep(FILE_CLOCK_TICK)

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        with contextlib.suppress(OSError, struct.error):
            if self._is_changed(notification) and self._answer(notification, listener):
                return
        listener.answer(notification, flags=CONTINUE)

    def _is_changed(self, call: Notification) -> bool:
        path = folder_of(call.thread, call.arguments[0])
        # Most programs ask again, only to learn that nothing is left.
        return (
            _position(path) == 0
            and os.stat(path).st_ctime_ns > self._since
            and not f"{os.readlink(path)}/".startswith(_OF_THE_KERNEL)
        )

    def _answer(self, call: Notification, listener: Listener) -> bool:
        """Answer with the whole listing in order; return False if the kernel may answer.

        That is for what does not fit at once, and after the first part, when nothing is left.
        """
        descriptor, address, size = call.arguments[:3]
        folder = _take_folder(call.thread, descriptor & 0xFFFFFFFF)
        try:
            # The program shares the position, which is behind the last entry then.
            listing = self._next_entries(folder, min(size & 0xFFFFFFFF, _LARGEST))
            answered = bool(listing) and not self._next_entries(folder, _LARGEST)
            ordered = in_order(listing, reverse=self._reverse)
            answered = answered and write_answer(call, listener, len(listing), [(address, ordered)])
            if not answered:
                os.lseek(folder, 0, os.SEEK_SET)
            return answered
        finally:
            os.close(folder)

    def _next_entries(self, folder: int, size: int) -> bytes:
        """Return the next entries of at most `size` bytes; empty at the end.  Raises OSError."""
        count = kernel.system_call(self._number, folder, ctypes.byref(self._buffer), size, what="getdents64")
        return ctypes.string_at(self._buffer, count)


def in_order(listing: bytes, *, reverse: bool) -> bytes:
    """Return the entries of a `listing`, structures of getdents64(2), by name; the folder itself and its parent first.

    The offsets stay where they are, as they tell positions.
    """
    entries = list(_split(listing))
    offsets = [entry[_AT_OFFSET : _AT_OFFSET + 8] for entry in entries]
    own = [entry for entry in entries if _name(entry) in (b".", b"..")]
    others = sorted((entry for entry in entries if entry not in own), key=_name, reverse=reverse)
    return b"".join(
        entry[:_AT_OFFSET] + offset + entry[_AT_OFFSET + 8 :]
        for entry, offset in zip((*own, *others), offsets, strict=True)
    )


def _split(listing: bytes) -> list[bytes]:
    entries, start = [], 0
    while start < len(listing):
        length = _ENTRY.unpack_from(listing, start)[2]
        entries.append(listing[start : start + length])
        start += length
    return entries


def _name(entry: bytes) -> bytes:
    return entry[_ENTRY.size :].partition(b"\0")[0]


def _position(folder: str) -> int:
    """Return the position in the descriptor `folder`, a path below /proc, see proc_pid_fdinfo(5).  Raises OSError."""
    with open(folder.replace("/fd/", "/fdinfo/"), "rb", buffering=0) as described:
        return int(described.read(64).split(maxsplit=2)[1])


def _take_folder(thread: int, number: int) -> int:
    """Return a copy of the descriptor `number` of a `thread`.  Raises OSError."""
    try:
        return take_descriptor(thread, number)
    except OSError:
        # Only the first thread of a process has its number, see Tgid in proc_pid_status(5).
        with open(f"/proc/{thread}/status") as status:
            return take_descriptor(next(int(line.split()[1]) for line in status if line.startswith("Tgid:")), number)
