"""Files that the session writes, such as reports: they may be among the sources, but are not sources."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable
from pathlib import Path


class WrittenFiles:
    """The written files, or folders with all their contents; a name may be a glob."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._places = sorted({f"{os.path.realpath(path.parent)}/{path.name}" for path in paths})

    def leave_out(self, source: Path, paths: Iterable[str]) -> list[str]:
        """Return the `paths`, relative to `source`, without the written files."""
        places, real = self._below(source), os.path.realpath(source)
        return [path for path in paths if not _is_in(f"{real}/{path}", places)]

    def without(self, source: Path, entries: Callable[[str], Iterable[str]]) -> Callable[[str], Iterable[str]]:
        """Return a function that lists folders below `source` like `entries`, without the written files."""
        places, real = self._below(source), os.path.realpath(source)
        if not places:
            return entries
        start = len(str(source).rstrip("/"))

        def listed(folder: str) -> list[str]:
            return [name for name in entries(folder) if not _is_in(f"{real}{folder[start:]}/{name}", places)]

        return listed

    def _below(self, source: Path) -> list[str]:
        """Return the written places below `source`; a written folder that contains `source` does not count."""
        real = os.path.realpath(source)
        return [place for place in self._places if place.startswith(f"{real}/")]


def _is_in(path: str, places: list[str]) -> bool:
    return any(
        path == place or path.startswith(f"{place}/") or ("*" in place and fnmatch.fnmatchcase(path, place))
        for place in places
    )


NONE = WrittenFiles()
