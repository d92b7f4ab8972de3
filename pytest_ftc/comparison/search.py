"""Searching outputs for given bytes, including inside archives and compressed data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_ftc.comparison.members.limits import Budget, Limits, OutOfTimeError
from pytest_ftc.comparison.members.pieces import Piece, walk_pieces
from pytest_ftc.comparison.members.span import Span, skip_hole

_CHUNK = 1 << 20
_LIMITS = Limits(decompressed=1 << 29)
_OVERLAP = 512
"""Bytes that consecutive parts share, so that a match across their border is found."""

Look = Callable[[bytes, int], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """The matches in one file."""

    places: tuple[tuple[str, str], ...]
    """Pairs, each once: a member (empty for the file itself), and the label of the bytes found in it."""
    not_searched: tuple[str, ...]
    """What was not searched, or not completely, and why; one sentence each."""


class Seeker(Protocol):
    """Finds labelled byte strings."""

    @property
    def overlap(self) -> int:
        """The length of the longest match, minus one."""

    def find(self, data: bytes, among: Collection[str] | None) -> Iterable[str]:
        """Return the labels of the byte strings in `data`; only those in `among`, if given."""


def seek(path: Path, seeker: Seeker, name: str = "", budget: Budget | None = None) -> Found:
    """Search the file at `path`, named `name`, and every piece in it with `seeker`.

    The search ends when the `budget` is used up, but always covers the beginning of the file.  Raises OSError.
    """
    budget = budget or Budget(_LIMITS)
    found: dict[Piece, Collection[str]] = {}
    places: dict[tuple[Piece, str], None] = {}
    with open(path, "rb", 0) as file, closing(walk_pieces(file, name, budget)) as pieces, _time_limit(budget):
        for piece in pieces:
            # The bytes of an uncompressed member were searched with its container; this only refines the location.
            among = found.get(piece.within, ()) if piece.within else None
            if among is None or among:
                here = found[piece] = _search(piece.content, seeker, among, budget)
                for what in here:
                    if piece.within:
                        places.pop((piece.within, what), None)
                    places[piece, what] = None
    pairs = dict.fromkeys((piece.member, what) for piece, what in places)
    return Found(tuple(pairs), tuple(budget.cut))


def scan_pieces(path: Path, look: Look, name: str = "", budget: Budget | None = None) -> Found:
    """Search the file at `path`, named `name`, and every piece in it with `look`, until the `budget` is used up.

    `look` gets a part of a piece, which repeats the last bytes of the previous part, and the size of the piece.  It
    returns its matches.  Raises OSError.
    """
    budget = budget or Budget(_LIMITS)
    places: dict[tuple[str, str], None] = {}
    with open(path, "rb", 0) as file, closing(walk_pieces(file, name, budget)) as pieces, _time_limit(budget):
        for piece in pieces:
            position, tail = 0, b""
            while chunk := piece.content.read(position, _CHUNK):
                if position or piece.member:
                    budget.check_time()
                places.update(((piece.member, what), None) for what in look(tail + chunk, piece.content.size))
                position += len(chunk)
                tail = chunk[-_OVERLAP:]
                if not chunk.strip(b"\0"):
                    position = skip_hole(piece.content, position)
    return Found(tuple(places), tuple(budget.cut))


@contextmanager
def _time_limit(budget: Budget) -> Iterator[None]:
    try:
        yield
    except OutOfTimeError as error:
        budget.record(str(error))


def _search(span: Span, seeker: Seeker, among: Collection[str] | None, budget: Budget) -> Collection[str]:
    found: dict[str, None] = {}
    position, tail = 0, b""
    while chunk := span.read(position, _CHUNK):
        if position and budget.is_over():
            return found
        position += len(chunk)
        data = tail + chunk
        found.update(dict.fromkeys(seeker.find(data, among)))
        tail = data[-seeker.overlap :] if seeker.overlap else b""
        if not chunk.strip(b"\0"):
            position = skip_hole(span, position)
    return found
