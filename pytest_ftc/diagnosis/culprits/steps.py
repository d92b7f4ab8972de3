"""One step back on the way of a differing value: where a program has it from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from posixpath import basename

from pytest_ftc.diagnosis.culprits.abilities import COMPILERS, COPIERS, FILTERS, OF_LANGUAGE, VARIABLES, can_bring_in
from pytest_ftc.diagnosis.culprits.commands import (
    COMPRESSORS,
    MAKERS,
    PACKERS,
    SHELLS,
    STARTERS,
    common_end,
    driver_of,
    find_feeder,
    name_of,
)
from pytest_ftc.diagnosis.culprits.file_systems import is_creator_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.recorded import find_cut_object, find_generated, find_origin, is_in_gzip_header
from pytest_ftc.diagnosis.culprits.sought import Sought, choose, is_copy, without_starters
from pytest_ftc.diagnosis.culprits.touched import find_setter_in_local_time
from pytest_ftc.diagnosis.culprits.upstream import find_only_able, is_script_with_able, told_above
from pytest_ftc.model import Cause, Field

_OF_THE_COMPILE = frozenset({Cause.BUILD_PATH, Cause.HOME, Cause.TEMP_DIR})
"""Causes that are mended where the path is used, as by an option of the compiler, and not where its name was made."""
_DEBUG = re.compile(r"ELF section \.(debug_|stab)")
UNDECIDED = -1
"""Stands for a program, where it may be one of several."""
_AN_ARGUMENT, SOMEHOW = "\0an argument", "\0somehow"
"""Stand for a path, where a value was passed on as an argument, or nobody saw how."""


class Step:
    """One step back: where the program `index`, which wrote the value to `path`, has it from.

    `passed` are all who wrote it from there on, this one too, each with the file or pipe.
    """

    def __init__(self, flow: Flow, index: int, path: str, sought: Sought, passed: Sequence[tuple[int, str]]) -> None:
        self._flow, self._index, self._path, self._sought = flow, index, path, sought
        self._name = name_of(flow.program(index))
        self._passed = passed
        self._paths = {each for _, each in passed}
        self.between: Sequence[int] = ()
        """Programs that handed the value on from the source to this one."""
        names = set(flow.names(path))
        sources = [*flow.sources(index), *flow.copied_from(index, path)]
        self._sources = {
            source: writers
            for source in dict.fromkeys(sources)
            if (source == path or (source not in self._paths and source not in names))
            and (writers := self._before(source))
        }

    def _before(self, source: str) -> list[int]:
        return [one for one in self._flow.writers(source) if one != self._index and self._is_earlier(one, source)]

    def _is_earlier(self, one: int, source: str) -> bool:
        """Return whether the program wrote it to `source` before it passed all others.

        Where a file is written again and again, the value was there before any of those ended that it passed.
        """
        return (one, source) not in self._passed and all(self._flow.may_precede(one, each) for each, _ in self._passed)

    def source(self) -> tuple[int, str] | None:
        """Return who wrote the value to which file or pipe; None if the program brought it in."""
        found = self._by_bytes()
        if (found and found[0] != UNDECIDED) or self._is_settled():
            return found
        return self._handed_on() or self._by_ability(found)

    def _is_settled(self) -> bool:
        """Return whether no more can be said than what the bytes tell."""
        place, cause = self._sought.place, self._sought.cause
        if cause in _OF_THE_COMPILE or cause == Cause.RACE or self._is_by_many():
            return True
        is_content = place.field in (Field.CONTENT, Field.HEADER, Field.ORDER) and not place.is_of_entry
        if not is_content or self._is_of_the_format():
            return True
        if cause in VARIABLES and self._is_given():
            return True
        if not self._can_bring_in():
            return False
        return self._name not in COMPILERS or not self._sources or self._shows()

    def _can_bring_in(self) -> bool:
        return can_bring_in(self._flow, self._index, self._sought.cause, order=self._sought.is_order)

    def _shows(self) -> bool:
        """Return whether the program was seen to write the very value that tells the cause."""
        needles = self._sought.needles
        return needles.known and any(self._flow.has_written(self._index, self._path, tier) for tier in needles.tiers)

    def _is_by_many(self) -> bool:
        """Return whether the order of what several programs wrote to one file is what differs."""
        flow, path = self._flow, self._path
        if not self._sought.is_order:
            return False
        wrote = [one for one in flow.writers(path) if flow.has_written(one, path)]
        changed = set(flow.names(path))
        return len([one for one in without_starters(flow, wrote) if not changed & set(flow.sources(one))]) > 1

    def _handed_on(self) -> tuple[int, str] | None:
        """Return who wrote the value to what those above a program had read, which cannot bring it in by itself."""
        return None if self._can_bring_in() else self._told_above(driver_of(self._flow, self._index))

    def _by_ability(self, found: tuple[int, str] | None) -> tuple[int, str] | None:
        """Return the only command that can have brought in the cause, whatever became of the value on the way."""
        way = find_only_able(self._flow, self._index, self._sought.cause, order=self._sought.is_order)
        if way is None:
            return found
        if not way:
            is_order = self._sought.is_order
            is_script = is_script_with_able(self._flow, self._index, self._sought.cause, order=is_order)
            return None if is_script else (UNDECIDED, "")
        *self.between, last = way[1:] or way
        return (last, SOMEHOW) if last != self._index else None

    def _by_bytes(self) -> tuple[int, str] | None:
        place = self._sought.place
        if self._is_by_many():
            return None
        if given := self._given():
            return given
        if self._path == SOMEHOW:
            return None
        if self._path == _AN_ARGUMENT:
            return self._told(())
        if inner := self._of_inner_archive():
            return inner
        setter = find_setter_in_local_time(self._flow, self._index, place, self._sought.cause)
        if setter is not None and not self._passes_on():
            return setter, SOMEHOW
        if self._brings_in():
            return None
        if named := self._named():
            return self._writer_of(named)
        if place.field is Field.NAME and self._name in SHELLS and (told := self._told(())):
            return told  # it opened the file under a name that it had read
        if place.is_of_entry or place.field in (Field.NAME, Field.MODE, Field.MTIME, Field.OWNER):
            if made := self._sought.takes_mode_of(self._by_name()):
                return self._writer_of(made)
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
        # The sources of a project hold no path of the build, and nobody was seen to write it to another file.
        return (UNDECIDED, "") if self._is_hidden() and self._sought.cause not in _OF_THE_COMPILE else None

    def _given(self) -> tuple[int, str] | None:
        """Return who made the value that this program was given as an argument; None if it was given none.

        That is who wrote it to what the one that started this program read, as for ``prog "$(date)"``, or that one
        itself if it is neither a shell nor make: these have it from their own text then, and the command is its place.
        """
        needles = self._sought.needles
        above, given = self._who_opened(), self._index
        while above >= 0 and any(needles.is_in(word) for word in self._flow.program(above).argv[1:]):
            above, given = self._flow.program(above).parent, above
        if above in (self._index, -1) or self._sought.cause in _OF_THE_COMPILE:
            return None
        if told := self._told_above(given):
            return told
        return None if name_of(self._flow.program(above)) in STARTERS else (above, _AN_ARGUMENT)

    def _who_opened(self) -> int:
        """Return the shell that gave the file its name, where one wrote this program's output there; else this program.

        As for ``sh -c "prog > name"``.
        """
        if self._sought.place.field is Field.NAME and not self._is_given():
            shell = self._flow.program(self._index).parent
            if shell in self._flow.writers(self._path) and name_of(self._flow.program(shell)) in SHELLS:
                return shell
        return self._index

    def _told_above(self, index: int) -> tuple[int, str] | None:
        flow = self._flow
        above = [each for each in told_above(flow, index) if each[1] not in self._paths]
        for tier in self._sought.needles.tiers:
            telling = [(one, source) for one, source in above if flow.has_written(one, source, tier)]
            # Who wrote nothing else comes before who wrote it among others, as uname -n before uname -a.
            alone = (each for each in telling if flow.contents(*each).strip() in tier)
            if telling:
                return next(alone, telling[0])
        return None

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

    def _named(self) -> str:
        """Return the file that this program read and whose name is what differs; empty if it is not about a name."""
        if self._sought.place.field is not Field.NAME:
            return ""
        ends = tuple(f"/{name}" for tier in self._sought.needles.tiers[:1] for name in tier)
        return next((source for source in self._sources if source.endswith(ends)), "")

    def _is_hidden(self) -> bool:
        """Return whether the value cannot be searched for here, and may be from what the program read."""
        tiers = self._sought.needles.tiers
        seen = any(self._flow.has_written(self._index, self._path, tier) for tier in tiers)
        return bool(self._sources) and len(self._passed) > 1 and not seen

    def _brings_in(self) -> bool:
        if self._is_of_the_format():
            return True
        return self._name in FILTERS and self._is_given()

    def _is_given(self) -> bool:
        """Return whether the value is among the arguments of the program."""
        return any(self._sought.needles.is_in(word) for word in self._flow.program(self._index).argv[1:])

    def _is_of_the_format(self) -> bool:
        """Return whether it is in what an archiver or a compressor writes beside the contents."""
        place = self._sought.place
        if place.is_of_entry and self._name in MAKERS.get(place.format, ()):
            return True
        if is_creator_of(self._flow.program(self._index), place):
            return True
        if self._name not in COMPRESSORS or self._told(()):
            return False
        written = self._flow.contents(self._index, self._path)
        return is_in_gzip_header(written, self._sought.needles) or COMPRESSORS[self._name] == place.format

    def _passes_on(self) -> bool:
        by_itself = self._sought.place.field is Field.MODE or (
            self._sought.cause == Cause.LOCALES and self._name in OF_LANGUAGE
        )
        opaque = self._name in FILTERS and not by_itself
        return opaque or self._name in COPIERS or self._name in COMPRESSORS or self._name == "as"

    def _by_name(self) -> list[str]:
        wanted = basename(self._sought.place.member or self._path)
        found = [source for source in self._sources if basename(source) == wanted and source != self._path]
        return sorted(found, key=lambda source: -common_end(source, self._sought.place.member or self._path))

    def _told(self, by_name: Sequence[str]) -> tuple[int, str] | None:
        """Return who was seen to write the value to a file or pipe that this program read; one of `by_name` first."""
        compiler = self._name in COMPILERS
        if self._has_path():
            return None
        if compiler and _DEBUG.match(self._sought.place.location) and self._name != "as":
            return None
        # What an archiver packed is in the file of that name, though it may not be seen there.
        alone = self._sought.place.member and (self._name in PACKERS or any(map(self._flow.is_cut, by_name[:1])))
        others = () if by_name and alone else self._sources
        ordered = [*by_name, *(source for source in others if source not in by_name)]
        tiers = self._sought.needles.tiers
        of_compile = self._sought.cause in _OF_THE_COMPILE
        cut = find_cut_object(self._flow, self._name, ordered) if of_compile else ""
        # A path alone, without the name of the file below it, is in other objects too.
        for needles in tiers[:1] if of_compile and (compiler or cut) else tiers:
            telling = (
                (without_starters(self._flow, wrote)[-1], source)
                for source in ordered
                if (wrote := [one for one in self._sources[source] if self._flow.has_written(one, source, needles)])
            )
            if first := next(telling, None):
                return find_origin(self._flow, (self._index, self._path), self._sought.place, first, telling)
        found = find_generated(self._flow, self._sources, self._sought.needles) if of_compile and compiler else cut
        return self._writer_of(found) if found else None

    def _has_path(self) -> bool:
        """Return whether a path that differs is among the program's own arguments, and not only in what it copies."""
        if self._sought.cause not in _OF_THE_COMPILE or self._name in (*COMPILERS, *STARTERS) or self._passes_on():
            return False
        # What linkers are told is in no debug information.
        if not self._is_given() or _DEBUG.match(self._sought.place.location):
            return False
        written = self._flow.contents(self._index, self._path)
        found = (self._flow.contents(one, source) for source, writers in self._sources.items() for one in writers)
        return bool(written) and not any(is_copy(written, content) for content in found)

    def _may_contain(self, source: str) -> bool:
        """Return whether the value may be in `source` although nobody was seen to write it there."""
        recorded = all(self._flow.is_recorded(one, source) for one in self._sources[source])
        return self._name in PACKERS or not (self._sought.needles.tiers and recorded)

    def _packed(self) -> tuple[int, str] | None:
        """Return who wrote the only input of a program that passes on what it is given."""
        if not self._sources and self._name in COMPRESSORS:
            feeder = find_feeder(self._flow.trace, self._flow.program(self._index))
            return (self._flow.trace.programs.index(feeder), "") if feeder else None
        named = self._by_name()
        return self._only(named[:1] or list(self._sources))

    def _only(self, sources: Sequence[str]) -> tuple[int, str] | None:
        if len(sources) > 1:
            return UNDECIDED, ""
        return self._writer_of(sources[0]) if sources else None

    def _writer_of(self, source: str) -> tuple[int, str] | None:
        index = choose(self._flow, source, self._sources[source], self._sought)
        return (index, source) if index is not None else None
