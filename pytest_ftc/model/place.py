"""The innermost thing that differs between two outputs, with its values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Field(str, Enum):
    """What kind of thing differs, which decides how to interpret its two values."""

    CONTENT = "content"
    """The bytes of a file or member themselves."""
    MTIME = "mtime"
    """A stored time: decimal seconds since 1970, a time without a zone read as UTC."""
    MODE = "mode"
    """Permission bits, in octal."""
    OWNER = "owner"
    """A number or name of a user or group."""
    ORDER = "order"
    """The names of the members as they are stored, one a line."""
    NAME = "name"
    """A member, file or symlink target that only one side has, or whose name differs."""
    HEADER = "header"
    """Any other header field: flags, versions, compression parameters, extra fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One innermost difference."""

    field: Field
    location: str
    """Where, for a person: ``zip entry mtime``, ``gzip header MTIME``, ``ELF section .comment``, ``line 12``."""
    control: bytes
    """The value in the control build, formatted according to `field`; if large, the parts around the difference."""
    experiment: bytes
    member: str = ""
    """The innermost container member, ``/`` joined through nested containers; empty for the output itself."""
    format: str = ""
    """Of the innermost container or file: ``zip``, ``tar``, ``gzip``, ``ar``, ``elf``, ``pyc``, ``text``, ..."""
    note: str = ""
    """What could not be examined, and why."""
