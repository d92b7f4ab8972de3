"""cpio archives: "newc" and "crc", as used by initramfs and rpm, "odc" of POSIX, and the old binary format.

See cpio(5) for all, and "cpio Interchange Format" in POSIX, utility pax, for odc.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_LAST = "TRAILER!!!"
"""The name of the entry that ends an archive."""
_LONGEST_NAME = 64 << 10
_NEW = ("ino", "mode", "uid", "gid", "nlink", "mtime", "filesize", "devmajor", "devminor", "rdevmajor", "rdevminor",
        "namesize", "check")  # fmt: skip
_OLD = ("dev", "ino", "mode", "uid", "gid", "nlink", "rdev", "mtime", "namesize", "filesize")
_ODC_WIDTHS = (6, 6, 6, 6, 6, 6, 6, 11, 6, 11)
_OLD_MAGIC = 0o070707
_FILE_TYPES = frozenset({0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o110000, 0o120000, 0o140000})
"""The bits of the type in a mode."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the header of an entry is stored."""

    magics: tuple[bytes, ...]
    size: int
    """Bytes of the header, without the name."""
    alignment: int
    """NULs pad the header with its name, and the data, to a multiple of this."""
    read: Callable[[bytes], Mapping[str, int]]
    """Returns the fields of a header; raises ValueError for one that holds anything else."""


def _read_new(block: bytes) -> Mapping[str, int]:
    return {name: int(block[6 + 8 * index : 14 + 8 * index], 16) for index, name in enumerate(_NEW)}


def _read_odc(block: bytes) -> Mapping[str, int]:
    ends = [6 + sum(_ODC_WIDTHS[: index + 1]) for index in range(len(_ODC_WIDTHS))]
    return {name: int(block[end - width : end], 8) for name, width, end in zip(_OLD, _ODC_WIDTHS, ends, strict=True)}


def _read_binary(order: str) -> Callable[[bytes], Mapping[str, int]]:
    def read(block: bytes) -> Mapping[str, int]:
        # Numbers of 32 bits are two of 16, the higher one first whatever the order of their bytes is.
        _, *numbers, mtime_high, mtime_low, name_size, size_high, size_low = struct.unpack(f"{order}13H", block)
        return dict(
            zip(_OLD, (*numbers, mtime_high << 16 | mtime_low, name_size, size_high << 16 | size_low), strict=True)
        )

    return read


_BINARY = tuple(_Layout((struct.pack(f"{order}H", _OLD_MAGIC),), 26, 2, _read_binary(order)) for order in ("<", ">"))
_LAYOUTS = (
    _Layout((b"070701", b"070702"), 110, 4, _read_new),
    _Layout((b"070707",), 76, 1, _read_odc),
    *_BINARY,
)


def is_cpio(span: Span, name: str) -> bool:
    layout = _find_layout(span)
    # Two bytes of a magic number are too few to tell a format.
    return layout is not None and (layout not in _BINARY or _begins_with_entry(span, layout))


def _find_layout(span: Span) -> _Layout | None:
    start = span.read(0, 6)
    return next((layout for layout in _LAYOUTS if start.startswith(layout.magics)), None)


def _begins_with_entry(span: Span, layout: _Layout) -> bool:
    """Return whether the first header is that of a file, whose name and data fit."""
    try:
        fields = _read_header(span, 0, layout)
        name = _read_name(span, layout.size, fields["namesize"])
    except ValueError:
        return False
    return fields["mode"] & 0o170000 in _FILE_TYPES and name.endswith(b"\0") and name.count(b"\0") == 1 < len(name)


def read_cpio(span: Span, budget: Budget) -> Contents:
    """Return the members as they are stored.  Raises ValueError, OutOfTimeError."""
    layout = _find_layout(span)
    if layout is None:
        raise ValueError("no entry header")
    return Contents(format=FileFormat.CPIO, noun="cpio entry", members=tuple(budget.few(_walk(span, layout, budget))))


def _walk(span: Span, layout: _Layout, budget: Budget) -> Iterator[Member]:
    position = 0
    while True:
        budget.check_time()
        fields = _read_header(span, position, layout)
        stored = _read_name(span, position + layout.size, fields["namesize"])
        name = stored.rstrip(b"\0").decode(errors="surrogateescape")
        position = _align(position + layout.size + fields["namesize"], layout)
        if name == _LAST:
            return
        data = span.part(position, fields["filesize"])
        yield Member(name=name, attributes=tuple(_attributes(fields)), stored=data)
        position = _align(position + fields["filesize"], layout)


def _align(position: int, layout: _Layout) -> int:
    return -(-position // layout.alignment) * layout.alignment


def _read_header(span: Span, position: int, layout: _Layout) -> Mapping[str, int]:
    block = span.read(position, layout.size)
    if len(block) < layout.size or not block.startswith(layout.magics):
        raise ValueError("no entry header")
    return layout.read(block)


def _read_name(span: Span, position: int, size: int) -> bytes:
    if not 0 < size <= _LONGEST_NAME:
        raise ValueError(f"a name of {size} bytes")
    return span.part(position, size).read(0, size)


def _attributes(fields: Mapping[str, int]) -> Iterator[Attribute]:
    yield mtime("cpio entry mtime", fields["mtime"])
    yield mode("cpio entry mode", fields["mode"])
    yield header("cpio entry file type", f"{fields['mode'] & 0o170000:06o}")
    yield owner("cpio entry uid", fields["uid"])
    yield owner("cpio entry gid", fields["gid"])
    for name in ("ino", "nlink"):
        yield header(f"cpio entry {name}", fields[name])
    for name in ("dev", "rdev"):
        number = fields.get(name)
        parts = f"{fields[f'{name}major']},{fields[f'{name}minor']}" if number is None else number
        yield header(f"cpio entry {name}", parts)
