"""Debug data that follows from a path: it is of the compile of its own unit (DWARF 5, sections 7.5.1 and 6.2.4)."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO
from zipfile import ZipFile

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.culprits.abilities import COMPILERS
from pytest_ftc.diagnosis.culprits.commands import find_driver, name_of
from pytest_ftc.diagnosis.try_remedies import RemedyTarget
from pytest_ftc.model import BuildResult, Finding, Program, Trace
from pytest_ftc.model.support.contents import find_content

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_PLACE = re.compile(r"ELF section \.debug_(info|line), byte 0x([0-9a-f]+)")
_DRIVERS = COMPILERS | {"c++", "cc", "g++", "gcc"}
_LARGEST = 64 << 20
"""Bytes of debug data, unpacked, whose units are read."""
_MOST_UNITS = 1000


@dataclass(frozen=True, slots=True)
class Unit:
    """The debug data of one source."""

    start: int
    """Where it begins in its section."""
    name: str
    """The source, as its compiler was given it."""
    folder: str


def name_compiles(
    found: Sequence[tuple[Finding, RemedyTarget]],
    trace: Trace | None,
    control: BuildResult,
    line_of: Callable[[Program], str],
) -> list[tuple[Finding, RemedyTarget]]:
    """Return what was `found`; debug data that follows from other places with the compile of its unit.

    It stays as it is where the units of an output of `control` cannot be read, or a source was compiled twice with the
    same options.
    """
    units = cache(partial(read_units, control))
    return [
        (_with_compile(finding, units, trace, line_of) if trace and _follows(finding, target) else finding, target)
        for finding, target in found
    ]


def _follows(finding: Finding, target: RemedyTarget) -> bool:
    return target.place.note == FOLLOWS and bool(finding.command)


def _with_compile(
    finding: Finding,
    units: Callable[[str, str], Mapping[str, Sequence[Unit]]],
    trace: Trace,
    line_of: Callable[[Program], str],
) -> Finding:
    place = _PLACE.match(finding.location)
    known = units(finding.output, finding.member).get(place[1], ()) if place else ()
    at = bisect_right([unit.start for unit in known], int(place[2], 16)) - 1 if place else -1
    compiles = list(_compiles_of(known[at], trace)) if at >= 0 else []
    # Libtool compiles each source for the library and for the archive.
    alike = [one for one in compiles if _options(one.argv) == _options(finding.command)]
    compiles = compiles if len(compiles) < 2 else alike
    if len(compiles) != 1 or compiles[0].argv == finding.command:
        return finding
    rest = [one for one in finding.chain if one != finding.command]
    return replace(
        finding,
        command=compiles[0].argv,
        chain=(compiles[0].argv, *rest) if rest else (),
        circumstances="",
        given=(),
        command_line=line_of(compiles[0]),
    )


def _options(argv: Sequence[str]) -> frozenset[str]:
    return frozenset(word for word in argv if word.startswith("-"))


def _compiles_of(unit: Unit, trace: Trace) -> Iterator[Program]:
    """Yield the compiler drivers that compiled the source of `unit` in its folder."""
    programs = (one for one in trace.programs if unit.name in one.argv[1:] and name_of(one) in _DRIVERS)
    yield from dict.fromkeys(find_driver(trace, one) for one in programs if one.folder == unit.folder)


def read_units(control: BuildResult, output: str, member: str = "") -> Mapping[str, Sequence[Unit]]:
    """Return the units in each section of an ELF file, in order; none if it has none, or they cannot be read.

    With `member` it is in the zip archive `output`, such as a wheel.
    """
    content = next((one for one in control.outputs if one.path == output), None)
    if content is None or not content.sha256 or content.size > _LARGEST:
        return {}
    try:
        with open(find_content(control.blobs, content.sha256), "rb") as file:
            return _parse_units(_unzip(file, member) if member else file)
    except Exception:
        # pyelftools raises anything for a file that is damaged, and the content may be out of reach.
        return {}


def _unzip(file: BinaryIO, member: str) -> BinaryIO:
    with ZipFile(file) as archive, archive.open(member) as stored:
        # What its directory says of its size may be wrong.
        return BytesIO(stored.read(_LARGEST))


def _parse_units(opened: BinaryIO) -> Mapping[str, Sequence[Unit]]:
    from elftools.elf.elffile import ELFFile  # slow to import, and only programs with debug data need it

    file = ELFFile(opened)
    if not _is_harmless(file):
        return {}
    debug = file.get_dwarf_info(relocate_dwarf_sections=False, follow_links=False)
    info, line = [], []
    for unit in islice(debug.iter_CUs(), _MOST_UNITS):
        attributes = unit.get_top_DIE().attributes
        name, folder = (_text(attributes, key) for key in ("DW_AT_name", "DW_AT_comp_dir"))
        info.append(Unit(unit.cu_offset, name, posixpath.normpath(folder)))
        if "DW_AT_stmt_list" in attributes:
            line.append(Unit(attributes["DW_AT_stmt_list"].value, name, posixpath.normpath(folder)))
    return {"info": info, "line": sorted(line, key=lambda unit: unit.start)}


def _is_harmless(file: ELFFile) -> bool:
    """Return whether its debug data can be unpacked in memory: what the old form of compression holds is not known."""
    debug = [one for one in file.iter_sections() if one.name.startswith((".debug_", ".zdebug_"))]
    return sum(one.data_size for one in debug) <= _LARGEST and not any(one.name.startswith(".z") for one in debug)


def _text(attributes: Any, key: str) -> str:
    return attributes[key].value.decode("utf-8", "surrogateescape") if key in attributes else ""
