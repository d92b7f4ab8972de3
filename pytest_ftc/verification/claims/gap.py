"""Whether an experiment must wait until some real time has passed since its control.

The clock of an experiment is moved, with the times of the files that it makes.  The gap in real time is for what no
moved clock reaches: it is left out only where no program of the control could have brought such a time into an output.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from pytest_ftc.model import BuildResult, BuildStatus, Program, Trace
from pytest_ftc.model.cause import Cause
from pytest_ftc.model.support.contents import is_remote
from pytest_ftc.verification.claims.time_readers import prints_no_file_times

NO_GAP = "no program of the control reads the time of a file"
"""Why an experiment did not wait."""
GAP = "gap"
"""The key under which it is recorded whether the last control of an artifact needed one."""
_SYSTEM = ("/bin/", "/lib/", "/sbin/", "/usr/bin/", "/usr/lib/", "/usr/libexec/", "/usr/sbin/")
"""Folders of programs that are what their name says.  One elsewhere may do anything."""
_COMPILERS = re.compile(
    r"make|cc1(plus)?|collect2|lto1|lto-wrapper|ld(\.bfd|\.gold)?|"
    r"([a-z0-9_]+-[a-z0-9_-]+-)?(as|cc|c\+\+|cpp|gcc|g\+\+|ld(\.bfd|\.gold)?)(-[0-9.]+)?"
)
"""Programs that take the time of a file into account at most, and write none.

Not ``ar``, which stores times unless it was built not to, and not Clang, whose precompiled headers hold them.
"""
_CLOCKS = ("/proc/", "/sys/", "/dev/rtc")
"""Where files may show the time of this machine.

A trace does not list what is read of /proc: what shows the machine's own time there is in its `evaded`.
"""
_NO_CLOCKS = ("/proc/filesystems", "/proc/mounts", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu/")
"""Files there that do not, and that the C library and the usual tools read."""


def needs_gap(control: BuildResult) -> bool:
    """Return whether what this build did may depend on the real time in a way that the moved clock does not reach."""
    trace = control.trace
    if control.status is not BuildStatus.OK or trace is None or trace.gaps or Cause.TIME in trace.evaded:
        return True
    if control.peers or control.shared or is_remote(control.blobs):
        return True
    if any(path.startswith(_CLOCKS) and not path.startswith(_NO_CLOCKS) for _, path in trace.read):
        return True
    return not all(map(_is_known, trace.programs)) or ran_side_by_side(trace)


def is_unmoved(experiment: BuildResult) -> bool:
    """Return whether the clock of this build was not moved for all its programs."""
    trace = experiment.trace
    return Cause.TIME in experiment.not_applied or (trace is not None and Cause.TIME in trace.evaded)


def _is_known(program: Program) -> bool:
    if not program.program.startswith(_SYSTEM):
        return False
    return bool(_COMPILERS.fullmatch(posixpath.basename(program.program))) or prints_no_file_times(program)


def ran_side_by_side(trace: Trace) -> bool:
    """Return whether two programs ran at once, of which neither started the other, or one forked for work of its own.

    What such programs do may depend on which of them is the faster, which few builds do not show.
    """
    ancestors: list[int] = []
    """Those programs that run when the next one starts, by index."""
    for index, program in sorted(enumerate(trace.programs), key=lambda one: one[1].began):
        running = [one for one in ancestors if _runs_at(trace.programs[one], program.began)]
        if program.helpers or running != _line_of(trace.programs, program.parent, running):
            return True
        ancestors = [*running, index]
    return False


def _line_of(programs: Sequence[Program], index: int, running: Sequence[int]) -> list[int]:
    """Return those `running` programs that are the one with that index or have started it, in their order."""
    line: list[int] = []
    while index >= 0:
        line.append(index)
        index = programs[index].parent
    return [one for one in running if one in line]


def _runs_at(program: Program, position: int) -> bool:
    return program.ended is None or program.ended > position
