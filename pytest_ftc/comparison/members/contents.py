"""The result of reading one container: its header fields and its members."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftc.comparison.members.limits import Budget, OutOfTimeError
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import Elements
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat


@dataclass(frozen=True, slots=True)
class Attribute:
    """One header field of a container or member."""

    field: Field
    location: str
    value: bytes
    follows: bool = False
    """Whether it differs if anything else does, as does an identifier computed from the rest."""
    accompanies: bool = False
    """Whether it belongs to something optional, which on one side only is told by other fields of it."""
    recompute: Callable[[Budget], bool] | None = dataclasses.field(default=None, compare=False)
    """Returns whether its value is that of the rest of the file, by the algorithm of its format."""

    def is_recomputed(self, budget: Budget) -> bool:
        """Return whether its value was found to be that of the rest of the file.  Raises OutOfTimeError."""
        try:
            return bool(self.recompute and self.recompute(budget))
        except OutOfTimeError:
            raise
        except Exception:  # the file is hostile, and parsers may raise anything
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of an archive, or one part of a file."""

    name: str
    attributes: tuple[Attribute, ...] = ()
    stored: Span | None = None
    """The bytes as stored in the container; if they are equal, they are not decompressed."""
    content: Callable[[], Span] | None = None
    """Returns the bytes to compare; if None, the stored bytes are compared."""
    elements: Callable[[Span], Elements | None] | None = None
    """Returns the numbers that the content holds, which are then compared and not its bytes; None if it holds none."""
    part: str = ""
    """The name for locations, if it is not a member but part of a file: a section, a table, a chunk."""
    payload: bool = False
    """Whether it is the single payload of a compressed file, which adds nothing to names."""
    plain: bool = False
    """Whether it is the rest of the file itself, which is compared by bytes."""
    separator: bytes = b""
    """What separates the texts, if it is a list of texts."""
    unnumbered: Callable[[], Span] | None = None
    """Returns the list without the numbers that its items have by their order, if they have any."""
    item: str = ""
    """The noun for one of those texts."""
    inside: Callable[[Found], Sequence[Found]] | None = None
    """Returns the places within a text that differs, nothing if it is one place; None if all are."""
    pair: Callable[[Sequence[bytes], Sequence[bytes], Budget], tuple[list[bytes], Found] | None] | None = None
    """Returns the texts of the second list in the order of the first, and the place that tells of theirs."""
    unordered: bool = False
    """Whether the order of those texts says nothing, as of strings that are found by their offset."""
    recoded: str = ""
    """The location to report if the stored bytes differ, but not the content."""
    unreadable: str = ""
    """Why only the stored bytes are known: they are encrypted, or compressed by an unknown method."""
    follows: bool = False
    """Whether it differs if other parts do, because it holds their offsets and sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A container that was read."""

    format: FileFormat
    noun: str
    """The noun for a member: ``zip entry``."""
    attributes: tuple[Attribute, ...] = ()
    members: tuple[Member, ...] = ()
    values: Any = None
    """The tree of values that it holds, if it holds structured data (`compare_values`)."""
    recoded: str = ""
    """The location to report if the bytes differ, but nothing that was read: how it was compressed."""


def header(location: str, value: object) -> Attribute:
    """Return a header field other than a time, an owner or a mode."""
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
