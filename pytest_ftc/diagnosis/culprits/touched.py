"""Who set the time of a file to one of the local clock."""

from __future__ import annotations

import posixpath
import re

from pytest_ftc.diagnosis.culprits.commands import name_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.model import Cause, Field, Place, Program

_WITH_ZONE = re.compile(r"^@|Z$|\bUTC\b|\bGMT\b|[+-]\d\d:?\d\d$")
"""Times that say their zone, or need none, see touch(1) and "Date input formats" in the manual of coreutils."""
_TIME = re.compile(r"--date=(.+)|-[a-z]*[dt](.*)")


def find_setter_in_local_time(flow: Flow, before: int, place: Place, cause: str) -> int | None:
    """Return who last gave a packed file a time that is another in each time zone, before the program `before` began.

    None if there was none, or `place` is not the time of a file with the `cause` of a time zone.
    """
    if place.field is not Field.MTIME or cause != Cause.TIMEZONE:
        return None
    found = [
        index
        for index, program in enumerate(flow.trace.programs)
        if name_of(program) == "touch" and flow.is_before(index, before) and _sets(program, place.member)
    ]
    return found[-1] if found else None


def _sets(program: Program, member: str) -> bool:
    paths = (posixpath.normpath(posixpath.join(program.folder, word)) for word in program.argv[1:])
    end = f"/{posixpath.normpath(member).lstrip('/')}"
    return _is_local(program) and any(path.endswith(end) for path in paths)


def _is_local(program: Program) -> bool:
    """Return whether the program was given a time that means another one in each time zone."""
    for word, after in zip(program.argv[1:], (*program.argv[2:], ""), strict=True):
        if found := _TIME.fullmatch(word):
            return not _WITH_ZONE.search(found[1] or found[2] or after)
    return False
