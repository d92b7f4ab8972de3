"""What a reader makes of one container: its own fields and its members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field


@dataclass(frozen=True, slots=True)
class Attribute:
    """One header field of a container or member."""

    field: Field
    location: str
    value: bytes
    follows: bool = False
    """Whether it differs as soon as anything else does: an identifier computed from the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of an archive, or one part of a file."""

    name: str
    attributes: tuple[Attribute, ...] = ()
    stored: Span | None = None
    """The bytes as they lie in the container; equal ones are not decompressed."""
    content: Callable[[], Span] | None = None
    """Yields the bytes to compare; those stored when there is none."""
    part: str = ""
    """How locations name it; for what is no member, but part of a file: a section, a table, a chunk."""
    payload: bool = False
    """Whether it is all there is: what a compressed file holds adds nothing to names."""
    separator: bytes = b""
    """Between texts of a part that is a list of them."""
    item: str = ""
    """What one of those texts is called."""
    recoded: str = ""
    """What differs when its bytes are the same, but not as they are stored."""
    unreadable: str = ""
    """Why its bytes are known only as they are stored: they are encrypted, or compressed by an unknown method."""
    follows: bool = False
    """Whether it differs as soon as other parts do, which it describes by offset and size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A container that was read."""

    format: str
    noun: str
    """What a member is called: ``zip entry``."""
    attributes: tuple[Attribute, ...] = ()
    members: tuple[Member, ...] = ()
    recoded: str = ""
    """What differs when all that is stored in it is the same, but not the bytes: how it was compressed."""


def header(location: str, value: object) -> Attribute:
    """Return a header field that is neither a time nor an owner nor a mode."""
    return Attribute(Field.HEADER, location, value if isinstance(value, bytes) else str(value).encode())


def mtime(location: str, value: object) -> Attribute:
    """Return a stored time, seconds since 1970."""
    return Attribute(Field.MTIME, location, str(value).encode())


def mode(location: str, value: int) -> Attribute:
    """Return permission bits."""
    return Attribute(Field.MODE, location, f"{value & 0o7777:04o}".encode())


def owner(location: str, value: object) -> Attribute:
    """Return a number or name of a user or group."""
    return Attribute(Field.OWNER, location, str(value).encode(errors="surrogateescape"))
