"""What was recorded of what programs wrote, and what must be in the rest."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ftc.diagnosis.culprits.abilities import COMPILERS, LINKERS
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles

_GZIP_HEADER, _GZIP_NAMED = 10, 8
"""Bytes before the name in a gzip file, and the flag that there is one."""


def find_cut_object(flow: Flow, name: str, sources: Iterable[str]) -> str:
    """Return the object of `sources` of which not all was recorded; empty if there is none, or `name` is no linker.

    A linker takes paths over from the objects that it is given.
    """
    if name not in LINKERS or name in COMPILERS:
        return ""
    return next((source for source in sources if flow.is_cut(source)), "")


def is_in_gzip_header(written: str, needles: Needles) -> bool:
    """Return whether the value is in the header of a gzip file, see RFC 1952: all else in it is compressed."""
    if not written.startswith("\x1f\x8b"):
        return False
    end = written.find("\0", _GZIP_HEADER) if ord(written[3:4] or "\0") & _GZIP_NAMED else _GZIP_HEADER
    return needles.is_in(written[:end])
