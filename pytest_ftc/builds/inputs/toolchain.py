"""What a command is run with: the programs it names, and what is installed beside them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ftc.builds.inputs.named_files import Names

_PACKAGES = (
    "/var/lib/dpkg/status",
    "/lib/apk/db/installed",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
)
"""What package managers know of what is installed: a compiler is more than the program that one calls."""
_INSTALLED = ("*.dist-info/RECORD", "*.py", "*.pth")
"""What identifies the contents of a folder of Python packages; distributions list their files with digests."""


class Toolchain:
    """Describes what commands are run with on the search path `path`; each file is read once."""

    def __init__(self, path: Sequence[str]) -> None:
        self._path = os.pathsep.join(path)
        self._names: dict[str, Names] = {}
        self._digests: dict[str, str] = {}
        self._seen: dict[str, tuple[int, ...]] = {}
        self._installed: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def describe(
        self,
        build: str | tuple[str, ...],
        variables: Mapping[str, str] | None = None,
        source: Path | None = None,
    ) -> dict[str, str]:
        """Return the digest of each file that a build is run with, by path, and of what is installed.

        That is what the command `build` names, or the `variables` that it gets, or the scripts they name, also those in
        its `source`.
        """
        given = dict(variables or {})
        path = given.get("PATH", self._path)
        words = ["sh", build] if isinstance(build, str) else [*build]
        texts = [*words, *(value for name, value in given.items() if name != "PATH")]
        with self._lock:
            if path not in self._names:
                self._names[path] = Names(path)
                self._installed[path] = self._find_installed(path)
            tools = {file: self._digest(file) for file in self._names[path].find(texts, source)}
            return {**tools, **self._installed[path]}

    def is_still(self, described: Mapping[str, str]) -> bool:
        """Return whether the files that were `described` are what they were: programs may be replaced meanwhile."""
        with self._lock:
            return all(_identify(path) == self._seen[path] for path in described if path in self._seen)

    def _find_installed(self, path: str) -> dict[str, str]:
        packages = {file: self._digest(file) for file in _PACKAGES if os.access(file, os.R_OK)}
        return {**packages, **{folder: self._list(folder) for folder in _python_folders(path)}}

    def _list(self, folder: str) -> str:
        """Return a digest of the Python distributions, with their files, and modules that are installed in `folder`."""
        if folder not in self._digests:
            hashed = hashlib.sha256()
            for file in sorted(file for glob in _INSTALLED for file in Path(folder).glob(glob)):
                name = file.relative_to(folder)
                hashed.update(f"{name}\0{self._digest(str(file))}\0".encode("utf-8", "surrogateescape"))
            self._digests[folder] = hashed.hexdigest()
        return self._digests[folder]

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            hashed = hashlib.sha256()
            self._seen[path] = _identify(path)
            try:
                with open(path, "rb") as file:
                    while data := file.read(1 << 20):
                        hashed.update(data)
                self._digests[path] = hashed.hexdigest()
            except OSError as error:
                self._digests[path] = f"unreadable: {error.strerror}"
        return self._digests[path]


def _python_folders(path: str) -> Iterator[str]:
    for folder in dict.fromkeys(path.split(os.pathsep)):
        if Path(folder).name == "bin":
            for packages in ("site-packages", "dist-packages"):
                # A folder that this user cannot enter, the shell passes over too.
                with contextlib.suppress(PermissionError):
                    yield from map(str, sorted(Path(folder).parent.glob(f"lib/python3*/{packages}")))


def _identify(path: str) -> tuple[int, ...]:
    """Return what changes when somebody writes to the file `path`, or puts another in its place."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
