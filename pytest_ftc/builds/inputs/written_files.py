"""Files that a session writes itself, such as reports: they may lie among the sources, and are none."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable
from pathlib import Path


class WrittenFiles:
    """What is written: files, or folders with all their contents; a name may be a glob."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._places = sorted({f"{os.path.realpath(path.parent)}/{path.name}" for path in paths})

    def leave_out(self, source: Path, paths: Iterable[str]) -> list[str]:
        """Return those of `paths`, relative to `source`, that are not written."""
        places, real = self._below(source), os.path.realpath(source)
        return [path for path in paths if not _is_in(f"{real}/{path}", places)]

    def without(self, source: Path, entries: Callable[[str], Iterable[str]]) -> Callable[[str], Iterable[str]]:
        """Return a function that lists folders below `source` as `entries` does, without what is written."""
        places, real = self._below(source), os.path.realpath(source)
        if not places:
            return entries
        start = len(str(source).rstrip("/"))

        def listed(folder: str) -> list[str]:
            return [name for name in entries(folder) if not _is_in(f"{real}{folder[start:]}/{name}", places)]

        return listed

    def _below(self, source: Path) -> list[str]:
        """Return the places below `source`: one that holds it makes none of it less of a source."""
        real = os.path.realpath(source)
        return [place for place in self._places if place.startswith(f"{real}/")]


def _is_in(path: str, places: list[str]) -> bool:
    return any(
        path == place or path.startswith(f"{place}/") or ("*" in place and fnmatch.fnmatchcase(path, place))
        for place in places
    )


NONE = WrittenFiles()
