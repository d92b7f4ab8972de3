"""The toolchain of a command: the programs it names, and the packages installed beside them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ftc.builds.inputs.named_files import Names

PACKAGES = (
    "/var/lib/dpkg/status",
    "/lib/apk/db/installed",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
)
"""Databases of installed packages: a compiler consists of more than the program that is called."""
_INSTALLED = ("*.dist-info/RECORD", "*.py", "*.pth")
"""Files that identify the contents of a folder of Python packages; RECORD lists digests of all files."""


class Toolchain:
    """Describes the toolchain of commands on the search path `path`; each file is read once."""

    def __init__(self, path: Sequence[str]) -> None:
        self.path = tuple(path)
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
        """Return the digest of each tool of a build, by path, and of the installed packages.

        Tools are the files named in the command `build`, in its `variables`, or in scripts that these name, including
        scripts in its `source`.
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
        """Return whether the `described` files are unchanged: programs may be replaced during a verification."""
        with self._lock:
            return all(_identify(path) == self._seen[path] for path in described if path in self._seen)

    def _find_installed(self, path: str) -> dict[str, str]:
        packages = {file: self._digest(file) for file in PACKAGES if os.access(file, os.R_OK)}
        return {**packages, **{folder: self._list(folder) for folder in _python_folders(path)}}

    def _list(self, folder: str) -> str:
        """Return a digest of the Python distributions and modules installed in `folder`, including their files."""
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
                # The shell also skips a folder that this user cannot enter.
                with contextlib.suppress(PermissionError):
                    yield from map(str, sorted(Path(folder).parent.glob(f"lib/python3*/{packages}")))


def _identify(path: str) -> tuple[int, ...]:
    """Return values that change if the file `path` is modified or replaced."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
