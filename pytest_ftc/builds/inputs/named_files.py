"""Finding the files outside the source that a build names: in its command, its variables, and its scripts."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

_WORD = re.compile(r"[\w@%+=:,./-]+")
_PARTING = re.compile("[=:,]")
_LONGEST = 128 << 10
"""Largest script, in bytes, that is searched for names."""
_MOST = 256
"""Most scripts to search for one build."""
_SCRIPTS = (".bash", ".cmake", ".js", ".lua", ".mjs", ".mk", ".pl", ".py", ".rb", ".sh", ".tcl")
_RECIPES = (
    "CMakeLists.txt",
    "GNUmakefile",
    "Justfile",
    "Makefile",
    "Rakefile",
    "build.ninja",
    "justfile",
    "makefile",
    "meson.build",
    "package.json",
    "setup.py",
)
"""Files that tools read by default in their working directory."""
_VIRTUAL = ("/dev/", "/proc/", "/sys/")
_PRIVATE = ("/dev/shm/", "/tmp/", "/var/tmp/")
"""Builds have private folders there, so they do not see the machine's files with such names."""


class Names:
    """Finds the files named in texts, with the search path `path` for commands; each file is read once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._commands = {name for folder in path.split(os.pathsep) for name in _list(folder)}
        self._known: dict[str, str] = {}
        self._words: dict[str, tuple[str, ...]] = {}

    def find(self, texts: Iterable[str], source: Path | None) -> tuple[str, ...]:
        """Return the files outside `source` that the `texts` name, directly or through scripts that they name.

        A name is a path, or a command on the search path.  Whether a word is meant as a name is unknown, so all count.
        """
        found: dict[str, None] = {}
        read: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [word for text in texts for word in (text, *_words_in(text))]

        def take_in(file: str) -> None:
            if file not in read and len(read) < _MOST:
                read[file] = None
                waiting.extend(self._words_of(file))
                if not (source and file.startswith(f"{source}/")):
                    waiting.extend(self._beside(file))

        for file in _recipes(source) if source else ():
            take_in(file)
        while waiting:
            word = waiting.pop()
            if word in seen:
                continue
            seen.add(word)
            outside = self._find(word)
            if outside:
                found[outside] = None
            for file in (outside,) if outside else _inside(source, word) if source else ():
                take_in(file)
        return tuple(sorted(found))

    def _find(self, word: str) -> str:
        if word not in self._known:
            self._known[word] = self._look(word)
        return self._known[word]

    def _look(self, word: str) -> str:
        if not word.startswith("/"):
            return (shutil.which(word, path=self._path) or "") if word in self._commands else ""
        if not _is_file(word):
            return ""
        hidden = word.startswith(_PRIVATE) and not os.access(word, os.X_OK)
        return "" if hidden or word.startswith(_VIRTUAL) else word

    def _beside(self, script: str) -> list[str]:
        """Return the files in the folder of a `script` that it names relative to itself: ``$HERE/real``."""
        folder = script.rpartition("/")[0]
        if folder in self._path.split(os.pathsep) or not self._words_of(script):
            return []
        names = _list(folder)
        last = {word.rpartition("/")[2] for word in self._words_of(script)}
        return [f"{folder}/{name}" for name in sorted(last & names)]

    def _words_of(self, file: str) -> tuple[str, ...]:
        if file not in self._words:
            self._words[file] = tuple(_words_in(_read_script(file)))
        return self._words[file]


def _words_in(text: str) -> dict[str, None]:
    """Return the words of `text` and their parts: ``CC=/opt/cc`` names /opt/cc."""
    words: dict[str, None] = {}
    for word in _WORD.findall(text):
        words[word] = None
        words.update(dict.fromkeys(_PARTING.split(word)))
    words.pop("", None)
    return words


def _recipes(folder: Path | str) -> list[str]:
    present = _list(folder)
    return [f"{folder}/{name}" for name in _RECIPES if name in present]


def _inside(source: Path, word: str) -> list[str]:
    """Return the files that `word` may run in `source`: the file of that name, or the build files in the folder."""
    if word.startswith("/") or ".." in word.split("/"):
        return []
    path = f"{source}/{word}"
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return []
    if stat.S_ISDIR(mode):
        return _recipes(path)
    return [path] if stat.S_ISREG(mode) else []


def _read_script(path: str) -> str:
    """Return the text of the file `path` if it is a script, according to its first line or its name."""
    is_named = path.endswith((*_SCRIPTS, *(f"/{name}" for name in _RECIPES)))
    try:
        with open(path, "rb") as file:
            begin = file.read(2)
            if begin != b"#!" and not is_named:
                return ""
            data = begin + file.read(_LONGEST)
    except OSError:
        return ""
    return "" if b"\0" in data[:1024] else data.decode("utf-8", "replace")


def _list(folder: Path | str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208
    except (OSError, ValueError):
        return frozenset()


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return False
