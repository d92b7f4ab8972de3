"""Finding the command that wrote an output, in the trace of a build."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.tar_formats import OLD_FORMAT, makes_old_format
from pytest_ftc.model import Place, Program, Trace
from pytest_ftc.model.place import FileFormat

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "busybox", "ash"})
_TELLING = 4
"""Shortest value, in characters, that is unlikely to be in a command's arguments by chance: the length of a year."""
COMPRESSORS = {
    "gzip": FileFormat.GZIP,
    "pigz": FileFormat.GZIP,
    "xz": FileFormat.XZ,
    "lzip": FileFormat.LZIP,
    "plzip": FileFormat.LZIP,
    "bzip2": FileFormat.BZIP2,
    "lbzip2": FileFormat.BZIP2,
    "zstd": FileFormat.ZSTD,
}
"""Programs that compress their input, and the formats they write."""
MAKERS = {
    FileFormat.AR: ("ar", "ranlib", "dpkg-deb"),
    FileFormat.ZIP: ("zip", "jar"),
    FileFormat.TAR: ("tar", "bsdtar"),
}
"""Programs that write the structure of a format, whose contents come from elsewhere."""
PACKERS = frozenset(name for names in MAKERS.values() for name in names)
"""All of these."""
_STAGES = frozenset(
    {"cc1", "cc1plus", "cc1obj", "f951", "gnat1", "as", "collect2", "ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold"}
    | {"lto1", "lto-wrapper"}
)
"""Stages that compiler drivers start."""
_OF_TARGET = re.compile(r"^(?:[a-z0-9_]+-){2,3}(?=(?:ar|as|cc|cpp|g\+\+|gcc|gfortran|ld|objcopy|ranlib|strip)\Z)")
"""What the names of tools for one kind of machine begin with: ``x86_64-linux-gnu-as``."""
COVERAGE = "--coverage"
"""Stands among the names of tools for compilers with this option."""
_COVERAGE_OPTIONS = frozenset({COVERAGE, "-coverage", "-fprofile-arcs", "-ftest-coverage"})
QT = "libQtCore"
"""Stands among the names of tools for programs that load Qt's library."""
_LIBRARY_OF_QT = re.compile(r"/libQt[0-9]*Core\.so")
_WRITE_BY_M4 = frozenset({"bison", "flex", "autom4te"})
"""Programs that have m4 write what they make."""
STARTERS = SHELLS | {
    "env",
    "make",
    "gmake",
    "ninja",
    "xargs",
    "nice",
    "timeout",
    "sudo",
    "faketime",
    "setsid",
    "time",
}
"""Programs that run other commands and may open output files for them."""


def find_culprit(flow: Flow, path: str, values: Sequence[str], kind: FileFormat = FileFormat.UNKNOWN) -> Program | None:
    """Return the program that wrote the file `path` (absolute); of several, the one that wrote one of `values`.

    A shell that opens a file for a command counts only if there is no other writer.  A compressor counts only if the
    place that differs is in its own format, `kind`.
    """
    writers, needles = flow.writers(path), _needles(values)
    if not writers:
        return None
    candidates = [index for index in writers if flow.has_written(index, path, needles)] or writers
    named = [index for index in candidates if name_of(flow.program(index)) not in STARTERS]
    makers = [index for index in writers if name_of(flow.program(index)) in MAKERS.get(kind, ())]
    program = flow.program((makers or named or candidates)[-1])
    if COMPRESSORS.get(name_of(program), kind) != kind:
        return find_feeder(flow.trace, program) or program
    return find_driver(flow.trace, program)


def find_driver(trace: Trace, program: Program) -> Program:
    """Return the compiler driver that started the stage `program`; `program` itself if it is not a stage."""
    above = list(_drivers(trace, program))
    return trace.programs[above[-1]] if above else program


def driver_of(flow: Flow, index: int) -> int:
    """Return the number of the compiler driver that started the stage `index`; `index` itself if it is not a stage."""
    above = list(_drivers(flow.trace, flow.program(index)))
    return above[-1] if above else index


def _drivers(trace: Trace, program: Program) -> Iterator[int]:
    while program.parent >= 0:
        above = program.parent
        between = trace.programs[above]
        if name_of(between) in SHELLS and between.argv[1:2] == ("-c",) and between.parent >= 0:
            # Some drivers start their stages by way of a shell, as system(3) does.
            above = between.parent
        if not _is_stage(name_of(program), name_of(trace.programs[above])):
            return
        yield above
        program = trace.programs[above]


def _is_stage(name: str, parent: str) -> bool:
    """Return whether a program called `name` only does a part of the work of its `parent`."""
    is_helper = (name == "m4" and parent in _WRITE_BY_M4) or (name == "tar" and parent == "dpkg-deb")
    return is_helper or (name in _STAGES and parent not in STARTERS)


def find_source(flow: Flow, output: str, place: Place, values: Sequence[str]) -> str:
    """Return the file whose content differs at `place`: one packed into the archive `output`, or `output` itself.

    Files match by name; of several, one that the packer wrote or read, as compilers have files of one name in temporary
    folders.  Of several such, the first that received one of `values` counts, because later ones are copies.
    """
    if place.is_of_entry:
        return output
    name = posixpath.basename(place.member)
    made = dict.fromkeys([path for _, path in flow.trace.written] + [new for _, _, new in flow.trace.moved])
    named = [path for path in made if path != output and posixpath.basename(path) == name]
    named = [path for path in named if _is_handled_by(flow, path, flow.writers(output))] or named
    needles = _needles(values)
    for path in named:
        if any(flow.has_written(index, path, needles) for index in flow.writers(path)):
            return path
    return max(named, key=lambda path: common_end(path, place.member), default=output)


def _is_handled_by(flow: Flow, path: str, programs: Sequence[int]) -> bool:
    """Return whether one of `programs` wrote or read the file `path`."""
    writers = flow.writers(path)
    return any(index in writers or not {path, *flow.names(path)}.isdisjoint(flow.sources(index)) for index in programs)


def common_end(one: str, other: str) -> int:
    """Return the number of trailing components that two paths have in common."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def find_feeder(trace: Trace, program: Program) -> Program | None:
    """Return the program that provides the input of `program`: its parent, or the previous command of a pipeline."""
    if program.parent < 0:
        return None
    parent = trace.programs[program.parent]
    if name_of(parent) not in STARTERS:
        return parent
    index = trace.programs.index(program)
    before = [one for one in trace.programs[:index] if one.parent == program.parent and _ended_after(one, program)]
    return before[-1] if before else find_feeder(trace, parent)


def _ended_after(one: Program, other: Program) -> bool:
    return one.ended is None or one.ended > other.began


def is_made_in_parallel(flow: Flow, path: str, program: Program, *, threads: bool) -> bool:
    """Return whether several programs wrote the file `path` concurrently, or its writer `program` ran several.

    With `threads`, threads of `program` count too, although some programs use threads that do not affect their output.
    """
    trace = flow.trace
    writers = [flow.program(index) for index in flow.writers(path)]
    if threads and program.helpers and name_of(program) not in SHELLS:
        return True
    started: dict[int, list[Program]] = {}
    for one in writers:
        started.setdefault(one.parent, []).append(one)
    # A parent shell only opens the file for its child; sibling shells write independently.
    return (
        _overlap([one for one in writers if name_of(one) not in STARTERS])
        or any(map(_overlap, started.values()))
        or _overlap([one for one in trace.programs if one.parent >= 0 and trace.programs[one.parent] is program])
    )


def _overlap(programs: Sequence[Program]) -> bool:
    ordered = sorted(programs, key=lambda program: program.began)
    return any(one.ended is None or other.began < one.ended for one, other in pairwise(ordered))


def describe_circumstances(trace: Trace, program: Program, tree: str) -> str:
    """Return the folder and exit status of `program`, and the programs that started it, nearest first."""
    folder = posixpath.relpath(program.folder, tree) if program.folder.startswith(f"{tree}/") else "."
    parts = [f"in {folder}"] if folder != "." else []
    if program.exit_code:
        parts.append(f"exit status {program.exit_code}")
    chain = [" ".join(trace.programs[parent].argv)[:80] for parent in ancestors(trace, program)]
    return "; ".join([*parts, *(f"started by {command}" for command in chain[:3])])


def find_given(trace: Trace, program: Program, value: str) -> Program | None:
    """Return the first sibling of `program` with `value` in its arguments; None if `program` has it too.

    In a pipeline, the last command writes the file, but the value often enters in an earlier one, such as
    ``sed s/@YEAR/2026/``.
    """
    value = value.strip()
    if len(value) < _TELLING or _has_argument(program, value):
        return None
    near = [
        one
        for one in trace.programs
        if one is not program and one.parent == program.parent and name_of(one) not in STARTERS
    ]
    return next((one for one in near if _has_argument(one, value)), None)


def _has_argument(program: Program, value: str) -> bool:
    return any(value in word for word in program.argv[1:])


def name_tools(trace: Trace, program: Program) -> tuple[str, ...]:
    """Return the names of `program`, of its script or module and its interpreter, and of what started it.

    A script that started it, such as Maven's, has an interpreter's name before its own.

    `COVERAGE` stands for a compiler that is asked to record where it was run, `QT` for what loads its library.
    """
    above = [trace.programs[parent].argv for parent in ancestors(trace, program)]
    module = program.argv[2:3] if program.argv[1:2] == ("-m",) else ()
    scripts = (word for argv in above for word in argv[1:2] if "/" in word)
    words = [*program.argv[:2], *module, program.program, *(argv[0] for argv in above if argv), *scripts]
    asked = any(_COVERAGE_OPTIONS.intersection(argv) for argv in (program.argv, *above))
    names = (posixpath.basename(word).lstrip("-") for word in words)
    return tuple(dict.fromkeys((*names, *([COVERAGE] if asked else []), *([QT] if _loads_qt(trace, program) else []))))


def _loads_qt(trace: Trace, program: Program) -> bool:
    index = trace.programs.index(program)
    return any(reader == index and _LIBRARY_OF_QT.search(path) for reader, path in trace.read)


def name_programs(trace: Trace) -> frozenset[str]:
    """Return the names of all programs that ran, both those they were called by and those of their files.

    `OLD_FORMAT` is among them where a tar makes archives of an older format.
    """
    names = (posixpath.basename(word).lstrip("-") for one in trace.programs for word in (*one.argv[:1], one.program))
    return frozenset((*names, *((OLD_FORMAT,) if makes_old_format(trace) else ())))


def ancestors(trace: Trace, program: Program) -> Iterator[int]:
    """Yield the numbers of the programs that started `program`, nearest first."""
    seen = set()
    while 0 <= program.parent < len(trace.programs) and program.parent not in seen:
        seen.add(program.parent)
        yield program.parent
        program = trace.programs[program.parent]


def _needles(values: Sequence[str]) -> list[str]:
    """Return `values` as they stand in recorded contents, which are decoded as Latin-1."""
    return [value.encode("utf-8", "surrogateescape").decode("latin-1") for value in values if value.strip()]


def name_of(program: Program) -> str:
    """Return the name with which `program` was called, without its folder, and of a tool without its target."""
    name = posixpath.basename(program.argv[0] if program.argv else program.program).lstrip("-")
    return _OF_TARGET.sub("", name)
