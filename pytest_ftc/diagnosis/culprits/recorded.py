"""What was recorded of what programs wrote, and what must be in the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pytest_ftc.diagnosis.culprits.abilities import COMPILERS, LINKERS
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles
from pytest_ftc.model import Place

_GZIP_HEADER, _GZIP_NAMED = 10, 8
"""Bytes before the name in a gzip file, and the flag that there is one."""
_AT = re.compile(r"byte 0x([0-9a-f]+)")
_C = re.compile(r"\.(?:[ch](?:pp|xx|c|h|\+\+)?|C|H|m|mm|inc|inl|def|f|f90|rs|go|d)\Z")
_BEFORE = 24
"""So many bytes tell where what follows them was taken from."""


def find_origin(
    flow: Flow, at: tuple[int, str], place: Place, first: tuple[int, str], others: Iterable[tuple[int, str]]
) -> tuple[int, str]:
    """Return which of `first` and `others`, a program and the file that it wrote, the bytes before `place` are from.

    `at` are the program and the file that the place is in.  Who puts several files into one passes on what is around
    the value too.  It is `first` where that cannot be told.
    """
    found = _AT.search(place.location)
    if place.member or place.location.startswith("ELF ") or not found:
        return first
    end = int(found[1], 16)
    before = flow.contents(*at)[max(end - _BEFORE, 0) : end]
    if len(before) < _BEFORE or before in flow.contents(*first):
        return first
    return next((other for other in others if before in flow.contents(*other)), first)


def find_cut_object(flow: Flow, name: str, sources: Iterable[str]) -> str:
    """Return the object of `sources` of which not all was recorded; empty if there is none, or `name` is no linker.

    A linker takes paths over from the objects that it is given.
    """
    if name not in LINKERS or name in COMPILERS:
        return ""
    return next((source for source in sources if flow.is_cut(source)), "")


def find_generated(flow: Flow, sources: Mapping[str, Sequence[int]], needles: Needles) -> str:
    """Return the one of `sources` in C, or a language like it, that was written in the build with a path.

    Empty if there is none, or if the value is the name of a source, which a compiler brings in by itself.
    """
    if any(_C.search(text) for tier in needles.tiers for text in tier):
        return ""
    texts = ((source, one) for source, writers in sources.items() if _C.search(source) for one in writers)
    return next(
        (source for source, one in texts if any(flow.has_written(one, source, tier) for tier in needles.tiers)), ""
    )


def is_in_gzip_header(written: str, needles: Needles) -> bool:
    """Return whether the value is in the header of a gzip file, see RFC 1952: all else in it is compressed."""
    if not written.startswith("\x1f\x8b"):
        return False
    end = written.find("\0", _GZIP_HEADER) if ord(written[3:4] or "\0") & _GZIP_NAMED else _GZIP_HEADER
    return needles.is_in(written[:end])
