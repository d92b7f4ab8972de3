"""What a command is run with: the programs it names, and what is installed beside them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

_WORD = re.compile(r"[\w@%+=:,./-]+")
_PACKAGES = (
    "/var/lib/dpkg/status",
    "/lib/apk/db/installed",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
)
"""What package managers know of what is installed: a compiler is more than the program that one calls."""


class Toolchain:
    """Describes what commands are run with on the search path `path`; each file is read once."""

    def __init__(self, path: Sequence[str]) -> None:
        self._path = os.pathsep.join(path)
        self._known: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._installed: dict[str, str] | None = None
        self._lock = threading.Lock()

    def describe(self, build: str | tuple[str, ...]) -> dict[str, str]:
        """Return the digest of each program that the command `build` names, by path, and of what is installed."""
        words = ["sh", *_WORD.findall(build)] if isinstance(build, str) else [*build]
        with self._lock:
            tools = {path: self._digest(path) for word in dict.fromkeys(words) if (path := self._find(word))}
            if self._installed is None:
                self._installed = self._find_installed()
            return {**tools, **self._installed}

    def _find(self, word: str) -> str:
        if word not in self._known:
            own = "/" in word and not word.startswith("/")
            self._known[word] = "" if own else shutil.which(word, path=self._path) or ""
        return self._known[word]

    def _find_installed(self) -> dict[str, str]:
        packages = {file: self._digest(file) for file in _PACKAGES if os.access(file, os.R_OK)}
        return {**packages, **{folder: self._list(folder) for folder in self._python_folders()}}

    def _python_folders(self) -> Iterator[str]:
        for folder in dict.fromkeys(self._path.split(os.pathsep)):
            if Path(folder).name == "bin":
                yield from map(str, sorted(Path(folder).parent.glob("lib/python3*/site-packages")))

    def _list(self, folder: str) -> str:
        """Return a digest of which Python distributions, with which files, are installed in `folder`."""
        if folder not in self._digests:
            hashed = hashlib.sha256()
            for record in sorted(Path(folder).glob("*.dist-info/RECORD")):
                hashed.update(f"{record.parent.name}\0{self._digest(str(record))}\0".encode("utf-8", "surrogateescape"))
            self._digests[folder] = hashed.hexdigest()
        return self._digests[folder]

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            hashed = hashlib.sha256()
            try:
                with open(path, "rb") as file:
                    while data := file.read(1 << 20):
                        hashed.update(data)
                self._digests[path] = hashed.hexdigest()
            except OSError as error:
                self._digests[path] = f"unreadable: {error.strerror}"
        return self._digests[path]
