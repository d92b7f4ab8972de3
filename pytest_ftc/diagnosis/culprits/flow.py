"""Which programs of a traced build wrote a file or pipe, what they wrote, and what they read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from pytest_ftc.model import Program, Trace

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_DEEPEST = 8
"""Most renames of one file to follow."""
_CUT_AT = (4096, 512 << 10)
"""Sizes at which a trace leaves out the rest of what a program wrote to a file: late in a long build, and always."""


class Flow:
    """An index of `trace`: programs are known by their number, needles are decoded as Latin-1, as contents are."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._written = _group((path, index) for index, path in trace.written if index >= 0)
        self._read = _group((*trace.read, *trace.taken))
        self._contents = _group((path, (index, content)) for index, path, content in trace.contents)
        self._copied = _group((target, (index, source)) for index, source, target in trace.copied)
        self._moved = _group((new, (index, old)) for index, old, new in trace.moved)
        self._opened_to_change = set(trace.taken)
        self._names: dict[str, tuple[str, ...]] = {}
        self._writers: dict[str, list[int]] = {}
        self._told: dict[int, list[tuple[int, str]]] = {}
        self.ways: dict[tuple[int, str, bool], Sequence[int] | None] = {}
        """Those that `find_only_able` has found."""

    def program(self, index: int) -> Program:
        """Return the program with this number."""
        return self.trace.programs[index]

    def names(self, path: str) -> tuple[str, ...]:
        """Return `path` and the names that the file had before a rename of it or its folder, late ones first."""
        if path not in self._names:
            found = {path: None}
            for _ in range(_DEEPEST):
                earlier = [old for name in found for old in self._earlier(name) if old not in found]
                if not earlier:
                    break
                found.update(dict.fromkeys(earlier))
            self._names[path] = tuple(found)
        return self._names[path]

    def _earlier(self, name: str) -> Iterator[str]:
        yield from (old for _, old in reversed(self._moved.get(name, ())))
        end = name.rfind("/")
        while end > 0:
            yield from (old + name[end:] for _, old in self._moved.get(name[:end], ()))
            end = name.rfind("/", 0, end)

    def writers(self, path: str) -> list[int]:
        """Return the programs that wrote `path` under any of its names, in the order in which they began to.

        Who opened an existing file to change it, and then did not, only read it.  Where a file was only renamed or
        linked, who did that counts.
        """
        if path not in self._writers:
            self._writers[path] = self._find_writers(path)
        return self._writers[path]

    def _find_writers(self, path: str) -> list[int]:
        names = self.names(path)
        found = [
            index
            for name in reversed(names)
            for index in (
                *self._written.get(name, ()),
                *(index for index, _ in (*self._contents.get(name, ()), *self._copied.get(name, ())) if index >= 0),
            )
            if self._wrote(index, name) or (index, name) not in self._opened_to_change
        ]
        movers = [index for name in names for index, _ in self._moved.get(name, ()) if index >= 0]
        return list(dict.fromkeys(found or movers))

    def _wrote(self, index: int, name: str) -> bool:
        written = any(writer == index for writer, _ in self._contents.get(name, ()))
        return written or any(writer == index for writer, _ in self._copied.get(name, ()))

    def has_written(self, index: int, path: str, needles: Collection[str] | None = None) -> bool:
        """Return whether the program was seen to write one of `needles`, or anything if None, to `path`."""
        names = self.names(path)
        if needles is None:
            return any(self._wrote(index, name) for name in names)
        contents = (content for name in names for writer, content in self._contents.get(name, ()) if writer == index)
        return any(needle in content for content in contents for needle in needles) or any(
            self._has_been_written(source, needles) for source in self.copied_from(index, path)
        )

    def _has_been_written(self, path: str, needles: Collection[str], depth: int = 0) -> bool:
        """Return whether anybody was seen to write one of `needles` to `path`, or to what was copied there."""
        for name in self.names(path):
            if any(needle in content for _, content in self._contents.get(name, ()) for needle in needles):
                return True
            copied = (source for _, source in self._copied.get(name, ()))
            if depth < _DEEPEST and any(self._has_been_written(one, needles, depth + 1) for one in copied):
                return True
        return False

    def contents(self, index: int, path: str) -> str:
        """Return what the program wrote to `path`."""
        names = self.names(path)
        return "".join(text for name in names for writer, text in self._contents.get(name, ()) if writer == index)

    def is_recorded(self, index: int, path: str) -> bool:
        """Return whether most likely all that the program wrote to `path` was recorded, and not only its start."""
        return len(self.contents(index, path)) not in (0, *_CUT_AT)

    def is_cut(self, path: str) -> bool:
        """Return whether most likely more was written to `path` than was recorded."""
        return any(len(text) in _CUT_AT for name in self.names(path) for _, text in self._contents.get(name, ()))

    def sources(self, index: int) -> Sequence[str]:
        """Return the files and pipes that the program read or could read, in order."""
        return list(dict.fromkeys(self._read.get(index, ())))

    def told(self, index: int) -> Sequence[tuple[int, str]]:
        """Return who wrote what the program read or could read, other than itself, each with the file or pipe."""
        if index not in self._told:
            pairs = ((one, source) for source in self.sources(index) for one in self.writers(source) if one != index)
            self._told[index] = list(dict.fromkeys(pairs))
        return self._told[index]

    def copied_from(self, index: int, path: str) -> list[str]:
        """Return what the program had the kernel copy to `path`."""
        return [source for name in self.names(path) for who, source in self._copied.get(name, ()) if who == index]

    def could_read(self, reader: int, writer: int) -> bool:
        """Return whether `writer` began before `reader`, which is another one, ended."""
        return reader != writer and self.may_precede(writer, reader)

    def may_precede(self, one: int, other: int) -> bool:
        """Return whether `one` began before `other` ended."""
        ended = self.program(other).ended
        return ended is None or self.program(one).began <= ended

    def is_before(self, one: int, other: int) -> bool:
        """Return whether `one` began before `other` did."""
        return one != other and self.program(one).began <= self.program(other).began


def _group(pairs: Iterable[tuple[_Key, _Value]]) -> Mapping[_Key, Sequence[_Value]]:
    found: dict[_Key, list[_Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
