"""Following a differing value back to the command that brought it in, over the files and pipes that it passed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import basename

from pytest_ftc.diagnosis.culprits.commands import (
    COMPRESSORS,
    MAKERS,
    STARTERS,
    common_end,
    find_driver,
    find_feeder,
    name_of,
)
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles
from pytest_ftc.model import Cause, Field, Place, Program

_DEEPEST = 16
"""Most steps back."""
_COPIERS = frozenset({"cp", "install", "ln", "mv", "rsync", "cat", "dd", "tee", "cmp", "objcopy", "strip"})
"""Programs that change no value that they pass on."""
_FILTERS = frozenset(
    {"md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum", "cksum", "sum", "shasum"}
    | {"base64", "base32", "basenc", "xxd", "od", "hexdump", "cut", "tr", "head", "tail", "rev", "tac", "nl", "fold"}
    | {"sed", "grep", "egrep", "fgrep", "uniq", "sort", "iconv", "bc", "dc"}
)
"""Programs whose output follows from their input and their arguments alone, in another form."""
_COMPILERS = frozenset({"cc1", "cc1plus", "cc1obj", "f951", "gnat1", "clang", "clang++", "rustc", "as"})
_OF_THE_COMPILE = frozenset({Cause.BUILD_PATH, Cause.HOME, Cause.TEMP_DIR})
"""Causes that are mended where the path is used, as by an option of the compiler, and not where its name was made."""
_DEBUG = re.compile(r"ELF section \.(debug_|stab)")
_LINE = re.compile(r"line (\d+)")
_UNDECIDED = -1
_AN_ARGUMENT = "\0an argument"
"""Stands for a path, where a value was passed on as an argument."""
_GZIP_HEADER, _GZIP_NAMED = 10, 8
"""Bytes before the name in a gzip file, and the flag that there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is followed: the value of a `place` with its `cause`."""

    place: Place
    cause: str
    needles: Needles


@dataclass(frozen=True, slots=True)
class Trail:
    """The commands that a value passed."""

    program: Program | None = None
    """The one that brought it in; None if there is none, or several may have."""
    chain: tuple[Program, ...] = field(default=())
    """That one and those that passed the value on, in order; the last wrote the output."""


def follow(flow: Flow, path: str, sought: Sought) -> Trail:
    """Return the way of the value to the file `path` (absolute)."""
    steps: list[int] = []
    passed = {path}
    index: int | None = _choose(flow, path, flow.writers(path), sought)
    while index is not None and index != _UNDECIDED and len(steps) < _DEEPEST:
        steps.append(index)
        found = _Step(flow, index, path, sought, passed).source()
        if found is None:
            break
        index, path = found
        passed.add(path)
    programs = [find_driver(flow.trace, flow.program(one)) for one in reversed(steps)]
    chain = [one for number, one in enumerate(programs) if one not in programs[:number]]
    return Trail(chain[0] if chain and index != _UNDECIDED else None, tuple(chain))


def _choose(flow: Flow, path: str, writers: Sequence[int], sought: Sought) -> int | None:
    """Return which of `writers` wrote the value to `path`."""
    if not writers:
        return None
    makers = MAKERS.get(sought.place.format, ())
    if made := [one for one in writers if name_of(flow.program(one)) in makers]:
        return made[-1]
    for needles in sought.needles.tiers:
        if telling := [one for one in writers if flow.has_written(one, path, needles)]:
            return _by_line(flow, path, writers, telling, sought) or _without_starters(flow, telling)[-1]
    seen = [one for one in writers if flow.has_written(one, path)]
    return _without_starters(flow, seen or writers)[-1]


def _without_starters(flow: Flow, indices: Sequence[int]) -> Sequence[int]:
    return [one for one in indices if name_of(flow.program(one)) not in STARTERS] or indices


def _by_line(flow: Flow, path: str, writers: Sequence[int], telling: Sequence[int], sought: Sought) -> int | None:
    """Return which program wrote the line of the place, where several wrote the value, each a part of the file."""
    found = _LINE.fullmatch(sought.place.location)
    if len(telling) < 2 or not found or sought.place.member:
        return None
    line, end = int(found[1]), 0
    for one in writers:
        end += flow.contents(one, path).count("\n")
        if end >= line:
            return one if one in telling else None
    return None


class _Step:
    """One step back: where the program `index`, which wrote the value to `path`, has it from."""

    def __init__(self, flow: Flow, index: int, path: str, sought: Sought, passed: set[str]) -> None:
        self._flow, self._index, self._path, self._sought = flow, index, path, sought
        self._name = name_of(flow.program(index))
        self._passed = passed
        names = set(flow.names(path))
        sources = [*flow.sources(index), *flow.copied_from(index, path)]
        self._sources = {
            source: writers
            for source in dict.fromkeys(sources)
            if (source == path or (source not in passed and source not in names)) and (writers := self._before(source))
        }

    def _before(self, source: str) -> list[int]:
        flow = self._flow
        return [one for one in flow.writers(source) if flow.could_read(self._index, one)]

    def source(self) -> tuple[int, str] | None:
        """Return who wrote the value to which file or pipe; None if the program brought it in."""
        place = self._sought.place
        if given := self._given():
            return given
        if self._path == _AN_ARGUMENT:
            return self._told(())
        if inner := self._of_inner_archive():
            return inner
        if self._brings_in():
            return None
        if place.is_of_entry or place.field in (Field.NAME, Field.MODE, Field.MTIME, Field.OWNER):
            return self._packed() if self._passes_on() else None
        by_name = self._by_name()
        told = self._told(by_name)
        if told:
            return told
        if by_name and (place.member or self._passes_on()) and self._may_contain(by_name[0]):
            return self._writer_of(by_name[0])
        if copied := [one for one in self._flow.copied_from(self._index, self._path) if one in self._sources]:
            return self._only(copied)
        if self._passes_on():
            return self._packed()
        return (_UNDECIDED, "") if self._is_hidden() else None

    def _given(self) -> tuple[int, str] | None:
        """Return who made the value that this program was given as an argument; None if it was given none.

        That is who wrote it to what the one that started this program read, as for ``prog "$(date)"``, or that one
        itself if it is neither a shell nor make: these have it from their own text then, and the command is its place.
        """
        needles = self._sought.needles
        above = self._index
        while above >= 0 and any(needles.is_in(word) for word in self._flow.program(above).argv[1:]):
            above = self._flow.program(above).parent
        if above in (self._index, -1) or self._sought.cause in _OF_THE_COMPILE:
            return None
        for tier in needles.tiers:
            for source in self._flow.sources(above):
                for one in self._flow.writers(source):
                    if self._flow.is_before(one, self._index) and self._flow.has_written(one, source, tier):
                        return one, source
        return None if name_of(self._flow.program(above)) in STARTERS else (above, _AN_ARGUMENT)

    def _of_inner_archive(self) -> tuple[int, str] | None:
        """Return who wrote the archive that this program packed into another one, where the place is an entry of it."""
        parts = [part for part in self._sought.place.member.split("/") if part not in ("", ".")]
        if not self._sought.place.is_of_entry:
            return None
        for number in range(len(parts) - 1, 0, -1):
            inner = "/".join(parts[:number])
            for source in self._sources:
                if source.endswith(f"/{inner}"):
                    return self._writer_of(source)
        return None

    def _is_hidden(self) -> bool:
        """Return whether the value cannot be searched for here, and may be from what the program read."""
        tiers = self._sought.needles.tiers
        seen = any(self._flow.has_written(self._index, self._path, tier) for tier in tiers)
        return bool(self._sources) and len(self._passed) > 1 and not seen

    def _brings_in(self) -> bool:
        place = self._sought.place
        if place.is_of_entry and self._name in MAKERS.get(place.format, ()):
            return True
        if self._name in COMPRESSORS and not self._told(()):
            return self._is_in_header() or COMPRESSORS[self._name] == place.format
        words = self._flow.program(self._index).argv[1:]
        given = any(self._sought.needles.is_in(word) for word in words)
        return given and self._name in _FILTERS

    def _is_in_header(self) -> bool:
        """Return whether the value is in the header of a gzip file, see RFC 1952: all else in it is compressed."""
        written = self._flow.contents(self._index, self._path)
        if not written.startswith("\x1f\x8b"):
            return False
        end = written.find("\0", _GZIP_HEADER) if ord(written[3:4] or "\0") & _GZIP_NAMED else _GZIP_HEADER
        return self._sought.needles.is_in(written[:end])

    def _passes_on(self) -> bool:
        opaque = self._name in _FILTERS and self._sought.cause != Cause.LOCALES
        return opaque or self._name in _COPIERS or self._name in COMPRESSORS

    def _by_name(self) -> list[str]:
        wanted = basename(self._sought.place.member or self._path)
        found = [source for source in self._sources if basename(source) == wanted and source != self._path]
        return sorted(found, key=lambda source: -common_end(source, self._sought.place.member or self._path))

    def _told(self, by_name: Sequence[str]) -> tuple[int, str] | None:
        """Return who was seen to write the value to a file or pipe that this program read; one of `by_name` first."""
        compiler = self._name in _COMPILERS
        if compiler and _DEBUG.match(self._sought.place.location) and self._name != "as":
            return None
        ordered = [*by_name, *(source for source in self._sources if source not in by_name)]
        tiers = self._sought.needles.tiers
        for needles in tiers[:1] if compiler else tiers:
            for source in ordered:
                telling = [one for one in self._sources[source] if self._flow.has_written(one, source, needles)]
                if telling:
                    return _without_starters(self._flow, telling)[-1], source
        return None

    def _may_contain(self, source: str) -> bool:
        """Return whether the value may be in `source` although nobody was seen to write it there."""
        return not self._sought.needles.tiers or not all(
            self._flow.contents(one, source) for one in self._sources[source]
        )

    def _packed(self) -> tuple[int, str] | None:
        """Return who wrote the only input of a program that passes on what it is given."""
        if not self._sources and self._name in COMPRESSORS:
            feeder = find_feeder(self._flow.trace, self._flow.program(self._index))
            return (self._flow.trace.programs.index(feeder), "") if feeder else None
        named = self._by_name()
        return self._only(named[:1] or list(self._sources))

    def _only(self, sources: Sequence[str]) -> tuple[int, str] | None:
        if len(sources) > 1:
            return _UNDECIDED, ""
        return self._writer_of(sources[0]) if sources else None

    def _writer_of(self, source: str) -> tuple[int, str] | None:
        index = _choose(self._flow, source, self._sources[source], self._sought)
        return (index, source) if index is not None else None
