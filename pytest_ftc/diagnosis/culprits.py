"""Which command wrote an output, read off the trace of a build."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from pytest_ftc.model import Program, Trace

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "busybox", "ash"})
_STARTERS = _SHELLS | {
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
"""What runs other commands, and has their outputs open for them."""


def find_culprit(trace: Trace, path: str, values: Sequence[str]) -> Program | None:
    """Return the program that wrote the file `path` (absolute), the one that wrote one of `values` if several did.

    A shell that opens a file for a command is not the one that writes it, unless no other does.
    """
    writers = list(dict.fromkeys(_writers(trace, path)))
    if not writers:
        return None
    telling = [index for index in writers if _wrote(trace, index, path, values)]
    candidates = telling or writers
    named = [index for index in candidates if _name(trace.programs[index]) not in _STARTERS]
    return trace.programs[(named or candidates)[-1]]


def describe_circumstances(trace: Trace, program: Program, tree: str) -> str:
    """Return where `program` ran, how it ended, and the commands that started it, the nearest first."""
    folder = posixpath.relpath(program.folder, tree) if program.folder.startswith(f"{tree}/") else "."
    parts = [f"in {folder}"] if folder != "." else []
    if program.exit_code:
        parts.append(f"exit status {program.exit_code}")
    chain = [" ".join(parent.argv)[:80] for parent in _ancestors(trace, program)]
    return "; ".join([*parts, *(f"started by {command}" for command in chain[:3])])


def _ancestors(trace: Trace, program: Program) -> Iterator[Program]:
    seen = set()
    while 0 <= program.parent < len(trace.programs) and program.parent not in seen:
        seen.add(program.parent)
        program = trace.programs[program.parent]
        yield program


def _writers(trace: Trace, path: str, depth: int = 0) -> Iterator[int]:
    """Yield the programs that wrote `path` or what was renamed to it, those that did so last at the end."""
    if depth > 8:
        return
    for mover, old, new in trace.moved:
        if new == path:
            before = list(_writers(trace, old, depth + 1))
            yield from before or [mover]
        elif path.startswith(f"{new}/"):
            yield from _writers(trace, old + path[len(new) :], depth + 1)
    yield from (index for index, written in trace.written if written == path and index >= 0)


def _wrote(trace: Trace, index: int, path: str, values: Sequence[str]) -> bool:
    """Return whether the program has written one of `values`; contents have a character for each byte."""
    wanted = [value.encode("utf-8", "surrogateescape").decode("latin-1") for value in values if value.strip()]
    return any(
        any(value in content for value in wanted)
        for writer, written, content in trace.contents
        if writer == index and written == path
    )


def _name(program: Program) -> str:
    return posixpath.basename(program.argv[0] if program.argv else program.program).lstrip("-")
