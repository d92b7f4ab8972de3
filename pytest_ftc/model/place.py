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


class FileFormat(str, Enum):
    """The format of a file; it equals its name, hashes and prints like it."""

    ELF = "elf"
    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    XZ = "xz"
    LZIP = "lzip"
    BZIP2 = "bzip2"
    ZSTD = "zstd"
    AR = "ar"
    CPIO = "cpio"
    PYC = "pyc"
    CLASS = "class"
    SQLITE = "sqlite"
    PNG = "png"
    PDF = "pdf"
    ZLIB = "zlib"
    JSON = "json"
    DATA = "data"
    """Data that programs read: models, arrays, tables."""
    IMAGE = "image"
    """A file system with files."""
    KEY = "key"
    """A key, certificate or signature, by its name."""
    TEXT = "text"
    BINARY = "binary"
    """None of the others."""
    UNKNOWN = ""
    """Not looked at."""

    # Otherwise str() gives FileFormat.ZIP, and so does format() from Python 3.12 on.
    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return format(self.value, format_spec)


ARCHIVES = (FileFormat.TAR, FileFormat.ZIP, FileFormat.AR, FileFormat.CPIO)
"""Formats whose members are files, each with an entry that describes it."""
OUTPUT_ITSELF = "the output itself"
"""The location of what differs in an output as a whole."""
OUTPUT_NAME = "the output's name"
"""The location where an output has another name in each build."""
ELF_SECTION = "ELF section"
"""Begins the locations in the sections of an ELF file; the name of the section follows."""

KEYED = ("key ", "element ", "attribute ")
"""How the locations of values in structured texts begin; the path follows, which ends with the value's own name."""


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
    format: FileFormat = FileFormat.UNKNOWN
    """Of the innermost container or file."""
    note: str = ""
    """What could not be examined, and why."""
    numbers: str = ""
    """How far the numbers here are apart: ``3 of 64 numbers differ; largest difference 3e-09 at [3, 7] ...``."""
    is_recomputed: bool = False
    """Whether both values were found to be those of the rest of the file, as of a checksum."""

    @property
    def is_of_entry(self) -> bool:
        """Whether it is what an archive records about a member, and not in the member's content."""
        return self.format in ARCHIVES and self.field is not Field.CONTENT

    @property
    def is_one_sided(self) -> bool:
        """Whether it is content that only one of the builds has."""
        return self.field is Field.CONTENT and bool(self.control) != bool(self.experiment)
