"""The file with which the build of an artifact begins."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Sequence
from itertools import pairwise

from pytest_ftc.model import Artifact

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""In the order in which make looks for them."""
_SHELLS = frozenset({"bash", "dash", "sh"})
_STARTERS = frozenset({"env", "exec", "nice", "time"})


def entry_file(artifact: Artifact, has: Callable[[str], bool]) -> str:
    """Return the Makefile or shell script that the build calls, relative to the sources; empty if it calls neither.

    `has` returns whether the sources have a text file.
    """
    words = _words(artifact)
    while words and (words[0] in _STARTERS or "=" in words[0]):
        words = words[1:]
    if not words:
        return ""
    program = posixpath.basename(words[0])
    if program in ("make", "gmake"):
        return next(filter(has, _makefiles(words[1:])), "")
    options = [word for word in words[1:] if not word.startswith("-")]
    named = options[:1] if program in _SHELLS else [words[0]]
    paths = [posixpath.normpath(word) for word in named if program not in _SHELLS or "-c" not in words]
    return next((path for path in paths if path.endswith((".sh", ".bash")) and has(path)), "")


def _words(artifact: Artifact) -> Sequence[str]:
    """Return the words of the first command of the build."""
    if not isinstance(artifact.build, str):
        return artifact.build
    lexer = shlex.shlex(artifact.build.strip(), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list[str]()
    try:
        for word in lexer:
            if set(word) <= set(";&|()<>"):
                break
            words.append(word)
    except ValueError:
        return ()
    return words


def _makefiles(words: Sequence[str]) -> list[str]:
    folder, names = "", list(_MAKEFILES)
    for word, value in pairwise([*words, ""]):
        if word in ("-C", "--directory"):
            folder = value
        elif word in ("-f", "--file"):
            names = [value]
    return [posixpath.normpath(posixpath.join(folder, name)) for name in names]
