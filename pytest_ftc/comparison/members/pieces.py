"""All pieces of one file: the file itself, its members, and their decompressed contents."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.formats.table import find_format, find_unreadable
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError, OutOfTimeError
from pytest_ftc.comparison.members.position import Position
from pytest_ftc.comparison.members.span import Span, whole_file
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.printable import shorten

PAYLOAD = "its contents"
"""The name of the payload of a compressed file that stores no name."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The file itself, one of its members, or a member's decompressed content."""

    member: str
    """The path of members, empty for the file itself."""
    content: Span
    """Readable until the next piece is requested."""
    within: Piece | None = None
    """The piece that contains the same bytes; None if they were decompressed or decoded."""


def walk_pieces(file: BinaryIO, name: str, budget: Budget) -> Generator[Piece]:
    """Yield an unbuffered file and every piece in it, a container before its members.

    Nothing is extracted to a path named in an archive, and no link is followed.  Afterwards `budget.cut` lists what was
    not opened, and which limits were reached.  Raises OSError if the file itself cannot be read.
    """
    piece = Piece("", whole_file(file))
    yield piece
    try:
        yield from _walk_inside(piece, Position(name=name), budget)
    except OutOfTimeError as error:
        budget.record(str(error))


def _walk_inside(piece: Piece, place: Position, budget: Budget) -> Iterator[Piece]:
    with budget.temporary():
        contents = _read(piece.content, place, budget)
        for member in contents.members if contents else ():
            budget.check_time()
            with budget.temporary():
                yield from _walk_member(piece, member, place, budget)


def _read(content: Span, place: Position, budget: Budget) -> Contents | None:
    """Return the contents of a container, as far as it can be read; None if the file is not a container."""
    budget.partial = None
    try:
        if unreadable := find_unreadable(content):
            raise LimitReachedError(f"no reader for {unreadable}")
        format_ = find_format(content, place.name)
        if format_ is None:
            return None
        if place.depth >= budget.limits.depth:
            raise LimitReachedError(f"nested more than {budget.limits.depth} containers deep")
        return format_.read(content, budget)
    except OutOfTimeError:
        raise
    except Exception as error:
        # The input is hostile, and parsers may raise anything; that must not end the walk.
        _record(error, place, budget)
    partial = budget.partial
    if partial is None:
        return None
    return Contents(format=FileFormat.UNKNOWN, noun="", members=(Member(name="payload", payload=True, stored=partial),))


def _walk_member(holder: Piece, member: Member, place: Position, budget: Budget) -> Iterator[Piece]:
    here = place.enter(member)
    if member.plain:
        # The bytes of the file itself.
        return
    if member.unreadable:
        budget.record(_sentence(here, member.unreadable))
    content = _open(member, here, budget)
    if content is None:
        return
    within = holder if content.file is holder.content.file else None
    piece = Piece(here.member or ("" if within else PAYLOAD), content, within)
    yield piece
    yield from _walk_inside(piece, here, budget)


def _open(member: Member, here: Position, budget: Budget) -> Span | None:
    budget.partial = None
    try:
        return member.content() if member.content else member.stored
    except OutOfTimeError:
        raise
    except Exception as error:
        _record(error, here, budget)
        return budget.partial


def _record(error: Exception, place: Position, budget: Budget) -> None:
    kind = "" if isinstance(error, LimitReachedError) else f"{type(error).__name__}: "
    budget.record(_sentence(place, f"{kind}{error}"))


def _sentence(place: Position, reason: str) -> str:
    member = f"{place.member}: " if place.member else ""
    return shorten(f"{member}{reason}")
