"""Output globs: which paths of a build tree an artifact declares."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator

WILD = re.compile(r"[*?\[]")


def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Return whether a path matches `pattern`, as a function: ``*`` stays in a folder, ``**`` crosses them.

    Unlike a shell's, a wildcard matches a leading dot too: what a build leaves hidden is checked as well.
    """
    segments = [None if part == "**" else re.compile(fnmatch.translate(part)).match for part in _parts(pattern)]

    def matches(path: list[str], position: int = 0) -> bool:
        for index in range(position, len(segments)):
            segment = segments[index]
            if segment is None:
                if index == len(segments) - 1:
                    return bool(path)
                return any(matches(path[skipped:], index + 1) for skipped in range(len(path)))
            if not path or not segment(path[0]):
                return False
            path = path[1:]
        return not path

    return lambda path: matches(path.split("/"))


def _parts(pattern: str) -> list[str]:
    return [part for part in pattern.split("/") if part not in ("", ".")]


def literal_prefix(pattern: str) -> str:
    """Return the leading folders of `pattern` that hold no wildcard, so that the rest of a tree is not walked."""
    literal: list[str] = []
    for part in _parts(pattern)[:-1]:
        if WILD.search(part):
            break
        literal.append(part)
    return "/".join(literal)


def find_matches(tree: str, patterns: list[str]) -> list[str]:
    """Return the sorted relative paths below `tree` that the `patterns` name, folders with all they hold.

    Symlinks are listed, never followed: an output cannot lead out of the tree.
    """
    found: set[str] = set()
    for pattern in patterns:
        start = literal_prefix(pattern)
        if not _is_real_folder(tree, start):
            continue
        matches = compile_glob(pattern)
        for path, is_folder in _walk(tree, start):
            if path not in found and matches(path):
                found.add(path)
                if is_folder:
                    found.update(below for below, _ in _walk(tree, path))
    return sorted(found)


def _is_real_folder(tree: str, relative: str) -> bool:
    path = tree
    for part in relative.split("/") if relative else []:
        path = os.path.join(path, part)
        if os.path.islink(path) or not os.path.isdir(path):
            return False
    return True


def _walk(tree: str, start: str) -> Iterator[tuple[str, bool]]:
    pending = [start]
    while pending:
        folder = pending.pop()
        with _scan(os.path.join(tree, folder)) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                yield path, is_folder
                if is_folder:
                    pending.append(path)


def _scan(folder: str) -> os._ScandirIterator[str]:
    try:
        return os.scandir(folder)
    except PermissionError:
        # A build may lock its own folders; the owner can unlock them.
        mode = os.stat(folder).st_mode
        os.chmod(folder, mode | 0o500)
        try:
            return os.scandir(folder)
        finally:
            os.chmod(folder, mode & 0o7777)
