"""Who made a file that another program only copied, read off the trace of a build."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from pytest_ftc.diagnosis.culprits import common_end, find_culprit, has_written, name_of
from pytest_ftc.model import Program, Trace

_COPIERS = frozenset({"cp", "install", "ln", "mv", "rsync"})
"""Programs that leave the contents of files as they are."""
_DEEPEST = 8
"""Copies of copies that are followed."""


def find_origin(trace: Trace, program: Program, path: str, value: str, beside: Sequence[str] = ()) -> Program:
    """Return who made the contents, where `program`, which wrote the file `path` (absolute), only passed it on.

    That is who wrote a file of the same name which `program` read, if `program` is known to change no contents, or if
    `value` was in that file already.  Of a value that is not seen in what was written, those `beside` it tell.
    """
    values = [value] if has_written(trace, program, path, [value]) else [value, *beside]
    wanted = path
    passed = {path}
    for _ in range(_DEEPEST):
        found = next(_makers(trace, program, wanted, passed, values), None)
        if found is None:
            break
        program, wanted = found
        passed.add(wanted)
    return program


def _makers(
    trace: Trace, program: Program, wanted: str, passed: set[str], values: Sequence[str]
) -> Iterator[tuple[Program, str]]:
    """Yield who made the files that `program` may have passed on as `wanted`, the likeliest first, and the files."""
    index = trace.programs.index(program)
    name = posixpath.basename(wanted)
    read = {
        path
        for reader, path in trace.read
        if reader == index and posixpath.basename(path) == name and path not in passed
    }
    for path in sorted(read, key=lambda path: (-common_end(path, wanted), path)):
        maker = find_culprit(trace, path, values)
        if maker in (None, program):
            continue
        if name_of(program) in _COPIERS or has_written(trace, maker, path, values):
            yield maker, path
