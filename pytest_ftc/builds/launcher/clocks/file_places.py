"""Finding the file that a call of another thread names: in its folder, below its root, in its namespaces."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing.memory import folder_of, own_name

# RESOLVE_NO_MAGICLINKS: such a link of /proc would lead to what this process has there.  See openat2(2).
_NO_MAGIC_LINKS, _IN_ROOT = 0x02, 0x10
_OVERFLOW_ID = 65534


class Named:
    """What a call of `thread` names: `path` from the descriptor `folder`, or that descriptor itself."""

    def __init__(self, thread: int, folder: int, path: bytes, *, follow: bool) -> None:
        self.thread = thread
        self.path = path
        self.follow = follow
        self._folder = folder_of(thread, folder)
        if follow and (own := own_name(thread, os.fsdecode(path))):
            self._folder, self.path = own, b""

    def look(self) -> os.stat_result:
        """Return the status of the file, found by the root and the rights of this process.  Raises OSError."""
        if not self.path:
            return os.stat(self._folder)
        folder = os.fsencode(self._folder) + b"/" if not self.path.startswith(b"/") else b""
        return os.stat(folder + self.path, follow_symlinks=self.follow)

    def open(self) -> int:
        """Return a descriptor (O_PATH) of the file, found by the root of `thread`.  Raises OSError."""
        if not self.path:
            return os.open(self._folder, os.O_PATH)
        root = os.readlink(f"/proc/{self.thread}/root")
        if root == "/" and not is_in_other_namespaces(self.thread):
            return _open(self._folder, self.path, self.follow, 0)
        if self.path.startswith(b"/"):
            return _open(f"/proc/{self.thread}/root", self.path, self.follow, _IN_ROOT)
        if not self._folder.endswith("/cwd"):
            return _open(self._folder, self.path, self.follow, 0)
        folder = os.path.relpath(os.readlink(self._folder), root)
        if folder.startswith(".."):
            raise OSError("the folder is outside of the root")
        path = os.fsencode(folder) + b"/" + self.path
        return _open(f"/proc/{self.thread}/root", path, self.follow, _IN_ROOT)


def _open(folder: str, path: bytes, follow: bool, how: int) -> int:
    flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    given = struct.pack("=QQQ", flags, 0, _NO_MAGIC_LINKS | how)
    base = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        return kernel.system_call(this_processor().calls["openat2"], base, path, given, len(given), what="openat2")
    finally:
        os.close(base)


def is_in_other_namespaces(thread: int) -> bool:
    """Return whether `thread` has other mounts than this process, or another user namespace.  Raises OSError."""
    return any(os.readlink(f"/proc/{thread}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}") for kind in _KINDS)


_KINDS = ("mnt", "user")


def translate_id(thread: int, kind: str, number: int) -> int:
    """Return what `thread` calls the user or group (``uid`` or ``gid``) `number` of this process.

    See user_namespaces(7): the second column of a map is in the user namespace of who reads it.
    """
    with open(f"/proc/{thread}/{kind}_map") as lines:
        for line in lines:
            inside, outside, count = map(int, line.split())
            if outside <= number < outside + count:
                return number - outside + inside
    return _OVERFLOW_ID


@contextlib.contextmanager
def rights_of_a_user() -> Iterator[None]:
    """Search folders by permission only, as a build that is not run by root: without the capabilities for more."""
    with kernel.without_capabilities(1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
        yield
