"""Looking for given bytes in outputs, also inside archives and what is compressed."""

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
"""Bytes in which what is looked for may lie where two parts meet."""

Look = Callable[[bytes, int], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one file."""

    places: tuple[tuple[str, str], ...]
    """Member (empty for the file itself) and what the bytes are called that it contains, each pair once."""
    not_searched: tuple[str, ...]
    """What was not opened, or not to its end, and why; one sentence each."""


class Seeker(Protocol):
    """Knows what is looked for."""

    @property
    def overlap(self) -> int:
        """How many bytes what is looked for may take, less one."""

    def find(self, data: bytes, among: Collection[str] | None) -> Iterable[str]:
        """Return what the bytes are called that `data` contains; only what is `among` these, if they are given."""


def seek(path: Path, seeker: Seeker, name: str = "", budget: Budget | None = None) -> Found:
    """Have `seeker` search the file at `path`, called `name`, and every piece in it.

    They are searched as far as the `budget` goes; the beginning of the file is in any case.  Raises OSError.
    """
    budget = budget or Budget(_LIMITS)
    found: dict[Piece, Collection[str]] = {}
    places: dict[tuple[Piece, str], None] = {}
    with open(path, "rb", 0) as file, closing(walk_pieces(file, name, budget)) as pieces, _time_limit(budget):
        for piece in pieces:
            # What is stored as it is was searched with its container, and is only located more exactly.
            among = found.get(piece.within, ()) if piece.within else None
            if among is None or among:
                here = found[piece] = _search(piece.content, seeker, among, budget)
                for what in here:
                    if piece.within:
                        places.pop((piece.within, what), None)
                    places[piece, what] = None
    told = dict.fromkeys((piece.member, what) for piece, what in places)
    return Found(tuple(told), tuple(budget.cut))


def scan_pieces(path: Path, look: Look, name: str = "", budget: Budget | None = None) -> Found:
    """Have `look` search the file at `path`, called `name`, and every piece in it, as far as the `budget` goes.

    `look` gets parts of a piece, each beginning with the last bytes of the one before, and the size of the piece, and
    returns what it found there.  Raises OSError.
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
        budget.tell(str(error))


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
