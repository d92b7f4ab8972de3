"""Finding the program that created a file which another one only copied, in the trace of a build."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from pytest_ftc.diagnosis.culprits.commands import common_end, find_culprit, has_written, name_of
from pytest_ftc.model import Program, Trace

_COPIERS = frozenset({"cp", "install", "ln", "mv", "rsync"})
"""Programs that do not change the contents of files."""
_DEEPEST = 8
"""Most successive copies to follow."""


def find_origin(trace: Trace, program: Program, path: str, value: str, beside: Sequence[str] = ()) -> Program:
    """Return the program that created the contents of `path` (absolute), if its writer `program` only copied them.

    That is the writer of a file with the same name that `program` read, if `program` never changes contents or `value`
    was already in that file.  If `value` is not found in what was written, the values `beside` it are used.
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
    """Yield the writers of files that `program` may have copied to `wanted`, likeliest first, with the files."""
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
