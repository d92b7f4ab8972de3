"""Output globs: the paths of a build tree that an artifact declares."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def find_matches(tree: str, patterns: list[str]) -> list[str]:
    """Return the sorted relative paths below `tree` that match the `patterns`, folders with all their contents.

    ``*`` matches within one folder, ``**`` across folders.  Unlike in a shell, a wildcard matches a leading dot too, so
    that hidden outputs are compared.  Symlinks are listed, never followed: an output cannot lead out of the tree.
    """
    found: set[str] = set()
    for pattern in patterns:
        for path in _expand(tree, "", _parts(pattern)):
            if path not in found:
                found.add(path)
                if _is_real_folder(tree, path):
                    found.update(_all_below(tree, path))
    return sorted(found)


def find_below(tree: str, folder: str) -> list[str]:
    """Return the sorted relative paths of everything in `folder` below `tree`; symlinks are not followed."""
    return sorted(_all_below(tree, folder))


def may_match(path: str, pattern: str) -> bool:
    """Return whether `path` can be among the matches of `pattern` in a tree where it is."""
    from fnmatch import fnmatchcase

    parts = _parts(pattern)
    last = len(parts) - 1
    at = {0}
    """The parts that the next name may match."""
    for name in path.split("/"):
        at |= {index + 1 for index in at if parts[index] == "**" and index < last}
        met = {index for index in at if parts[index] == "**" or fnmatchcase(name, parts[index])}
        if last in met:
            return True
        at = {index if parts[index] == "**" else index + 1 for index in met}
    return False


def _parts(pattern: str) -> list[str]:
    parts: list[str] = []
    for part in pattern.split("/"):
        if part not in ("", ".") and (part != "**" or parts[-1:] != ["**"]):
            parts.append(part)
    return parts


def _expand(tree: str, folder: str, parts: list[str]) -> Iterator[str]:
    """Yield the matches of `parts`, the segments of a pattern, below `folder`; read only the necessary folders."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        if not rest:
            yield from _all_below(tree, folder)
            return
        yield from _expand(tree, folder, rest)
        for name in _names(tree, folder):
            if _is_real_folder(tree, _join(folder, name)):
                yield from _expand(tree, _join(folder, name), parts)
        return
    for name in _matching(tree, folder, part):
        path = _join(folder, name)
        if not rest:
            yield path
        elif _is_real_folder(tree, path):
            yield from _expand(tree, path, rest)


def _matching(tree: str, folder: str, part: str) -> list[str]:
    if not any(character in part for character in "*?["):
        return [part] if os.path.lexists(os.path.join(tree, folder, part)) else []
    from fnmatch import fnmatchcase  # slow to import, and most patterns are plain names

    return [name for name in _names(tree, folder) if fnmatchcase(name, part)]


def _all_below(tree: str, start: str) -> Iterator[str]:
    pending = [start]
    while pending:
        folder = pending.pop()
        for name in _names(tree, folder):
            path = _join(folder, name)
            yield path
            if _is_real_folder(tree, path):
                pending.append(path)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_real_folder(tree: str, path: str) -> bool:
    full = os.path.join(tree, path)
    return os.path.isdir(full) and not os.path.islink(full)


def _names(tree: str, folder: str) -> list[str]:
    path = os.path.join(tree, folder)
    try:
        return os.listdir(path)
    except PermissionError:
        # A build may remove the permissions of its folders; their owner can restore them.
        mode = os.stat(path).st_mode
        os.chmod(path, mode | 0o500)
        try:
            return os.listdir(path)
        finally:
            os.chmod(path, mode & 0o7777)
