"""cpio archives in the "newc" and "crc" formats, as used by initramfs and rpm (cpio(5), "New ASCII Format")."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_MAGICS = (b"070701", b"070702")
_HEADER = 110
_LAST = "TRAILER!!!"
"""The name of the entry that ends an archive."""
_LONGEST_NAME = 64 << 10
_FIELDS = ("ino", "mode", "uid", "gid", "nlink", "mtime", "filesize", "devmajor", "devminor", "rdevmajor", "rdevminor",
           "namesize", "check")  # fmt: skip


def is_cpio(span: Span, name: str) -> bool:
    return span.read(0, 6) in _MAGICS


def read_cpio(span: Span, budget: Budget) -> Contents:
    """Return the members as they are stored.  Raises ValueError, OutOfTimeError."""
    return Contents(format=FileFormat.CPIO, noun="cpio entry", members=tuple(budget.few(_walk(span, budget))))


def _walk(span: Span, budget: Budget) -> Iterator[Member]:
    position = 0
    while True:
        budget.check_time()
        fields = _read_numbers(span.read(position, _HEADER))
        name_size = fields["namesize"]
        if not 0 < name_size <= _LONGEST_NAME:
            raise ValueError(f"a name of {name_size} bytes")
        name = (
            span.part(position + _HEADER, name_size).read(0, name_size).rstrip(b"\0").decode(errors="surrogateescape")
        )
        position = _align(position + _HEADER + name_size)
        if name == _LAST:
            return
        data = span.part(position, fields["filesize"])
        yield Member(name=name, attributes=tuple(_attributes(fields)), stored=data)
        position = _align(position + fields["filesize"])


def _align(position: int) -> int:
    """Round up to four bytes: NULs pad the header with its name, and the data, to that (cpio(5))."""
    return (position + 3) // 4 * 4


def _read_numbers(block: bytes) -> dict[str, int]:
    if len(block) < _HEADER or block[:6] not in _MAGICS:
        raise ValueError("no entry header")
    return {name: int(block[6 + 8 * index : 14 + 8 * index], 16) for index, name in enumerate(_FIELDS)}


def _attributes(fields: dict[str, int]) -> Iterator[Attribute]:
    yield mtime("cpio entry mtime", fields["mtime"])
    yield mode("cpio entry mode", fields["mode"])
    yield header("cpio entry file type", f"{fields['mode'] & 0o170000:06o}")
    yield owner("cpio entry uid", fields["uid"])
    yield owner("cpio entry gid", fields["gid"])
    for name in ("ino", "nlink"):
        yield header(f"cpio entry {name}", fields[name])
    yield header("cpio entry dev", f"{fields['devmajor']},{fields['devminor']}")
    yield header("cpio entry rdev", f"{fields['rdevmajor']},{fields['rdevminor']}")
