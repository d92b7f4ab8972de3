"""Finding programs of a build that could have read the time of a file, or compared it with a fixed date."""

from __future__ import annotations

import re
from itertools import pairwise

from pytest_ftc.model import Program, Trace

_WITHOUT = frozenset((
    "sh", "dash", "bash", "echo", "printf", "true", "false", "cat", "cp", "mv", "mkdir", "rmdir", "rm", "chmod",
    "touch", "tee", "head", "tail", "cut", "tr", "sed", "grep", "egrep", "fgrep", "sort", "uniq", "wc", "env", "expr",
    "seq", "basename", "dirname", "pwd", "id", "nproc", "uname", "hostname", "sleep",
))  # fmt: skip
"""Programs that never print the time of a file, with any option."""
_WITH_OPTION = {"date": re.compile(r"-[A-Za-z]*r|--re"), "ls": re.compile(r"-[A-Za-z]*[lgno]|--f")}
"""Programs that print the time of a file only with such an option, which may be abbreviated."""

_NEWER = re.compile(r"-newer[aBcm]t")
_FIXED = re.compile(r"@?\d.*")
"""A date that does not count from now, as ``-1 day`` and ``yesterday`` do."""


def find_fixed_date(trace: Trace | None) -> str:
    """Return which comparison of file times with a fixed date a program of the build made; empty if none is known."""
    for program in trace.programs if trace else ():
        if program.argv and program.argv[0].rpartition("/")[2] == "find":
            for option, date in pairwise(program.argv):
                if _NEWER.fullmatch(option) and _FIXED.fullmatch(date):
                    return f"find {option} {date}"
    return ""


def may_read_file_times(trace: Trace | None) -> bool:
    """Return whether a program of the traced build may have printed the time of a file; True if unknown."""
    if trace is None or trace.gaps:
        return True
    return not all(map(prints_no_file_times, trace.programs))


def prints_no_file_times(program: Program) -> bool:
    """Return whether `program` is known not to print the time of a file, as it was called."""
    words = program.argv
    name = words[0].rpartition("/")[2] if words else ""
    if option := _WITH_OPTION.get(name):
        return not any(option.match(word) for word in words[1:])
    return name in _WITHOUT
