"""Zip archives, including wheels, jars, office documents and EPUBs.

The format: APPNOTE.TXT 6.3.10, cited as APPNOTE; extra fields: also proginfo/extrafld.txt in Info-ZIP's sources.
"""

from __future__ import annotations

import calendar
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.formats.compression import (
    bzip2_decoder,
    decompress,
    deflate_decoder,
    lzma_decoder,
    xz_decoder,
    zstd_decoder,
)
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, SpanFile
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.inflate import Decompressor

_EXTENSIONS = (".zip", ".whl", ".jar", ".pyz", ".war", ".apk", ".egg")
_END = b"PK\5\6"
_LARGEST_DIRECTORY = 8 << 20
"""Largest central directory to read; each entry takes many times its size in memory."""
_STORED, _LZMA = 0, 14
_DECODERS = {8: deflate_decoder, 12: bzip2_decoder, 93: zstd_decoder, 95: xz_decoder}
"""Decoders by compression method (APPNOTE 4.4.5); LZMA (14) is separate because it has a header."""
_ENCRYPTED = 1
"""General purpose bit 0: the entry is encrypted (APPNOTE 4.4.4)."""
_END_MARKER = 2
"""General purpose bit 1: the LZMA stream ends with a marker (APPNOTE 4.4.4)."""
_FILETIME_1970 = 11_644_473_600
"""1970 in seconds since 1601, where NTFS times start (APPNOTE 4.5.5)."""
_LONGEST_END = 22 + 0xFFFF
"""The end of central directory record with the longest comment (APPNOTE 4.3.16)."""


def is_zip(span: Span, name: str) -> bool:
    """Return whether it is a zip archive, also behind a program that unpacks it (APPNOTE 4.1.9)."""
    head = span.read(0, 4)
    if head in (b"PK\3\4", _END):
        return True
    return (head[:2] in (b"#!", b"MZ") or name.endswith(_EXTENSIONS)) and _END in span.read(
        max(0, span.size - _LONGEST_END), _LONGEST_END
    )


def read_zip(span: Span, budget: Budget) -> Contents:
    """Return the entries of the central directory.  Raises whatever zipfile raises."""
    # zipfile reads the whole directory at once; too large a one is refused before its entries take memory.
    file = SpanFile(span, budget, most=_LARGEST_DIRECTORY)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        first = min((entry.header_offset for entry in entries), default=span.size)
        before = [Member(name="", part="data before the zip", stored=span.part(0, first))] if entries else []
        return Contents(
            format=FileFormat.ZIP,
            noun="zip entry",
            attributes=(header("zip archive comment", archive.comment),),
            members=(*before, *(_read_entry(span, entry, budget) for entry in budget.few(entries))),
        )


def _read_entry(span: Span, entry: zipfile.ZipInfo, budget: Budget) -> Member:
    local, stored = _read_local(span, entry)
    content: Callable[[], Span] | None = None
    unreadable = ""
    if entry.flag_bits & _ENCRYPTED:
        unreadable = "it is encrypted"
    elif decoder := _DECODERS.get(entry.compress_type):
        content = partial(_decompress, stored, decoder, budget)
    elif entry.compress_type == _LZMA:
        size = -1 if entry.flag_bits & _END_MARKER else entry.file_size
        content = partial(_decompress_lzma, stored, size, budget)
    elif entry.compress_type != _STORED:
        unreadable = f"no reader for zip compression method {entry.compress_type}"
    return Member(
        name=entry.orig_filename,
        attributes=(*_read_fields(entry), *_read_extras(local, entry.extra)),
        stored=stored,
        content=content,
        recoded="zip entry compressed data (compression level or tool)" if content else "",
        unreadable=unreadable,
    )


def _decompress(stored: Span, make: Callable[[], Decompressor], budget: Budget) -> Span:
    return decompress(stored, make, budget, single=True).payload


def _decompress_lzma(stored: Span, size: int, budget: Budget) -> Span:
    """Skip the header before the stream: SDK version, size of the properties, properties (APPNOTE 5.8.8)."""
    if stored.read(2, 2) != b"\5\0":
        raise LimitReachedError("its LZMA properties are not 5 bytes long")
    properties = stored.read(4, 5)
    stream = stored.part(9, stored.size - 9)
    return decompress(stream, partial(lzma_decoder, properties, size), budget, single=True).payload


def _read_local(span: Span, entry: zipfile.ZipInfo) -> tuple[bytes, Span]:
    """Return the extra fields of the local header, which may differ from those in the directory, and the data."""
    local = span.read(entry.header_offset, 30)
    if local[:4] != b"PK\3\4":
        raise ValueError(f"no local header at {entry.header_offset:#x}")
    name_size, extra_size = struct.unpack("<HH", local[26:30])
    start = entry.header_offset + 30 + name_size
    return span.read(start, extra_size), span.part(start + extra_size, entry.compress_size)


def _read_fields(entry: zipfile.ZipInfo) -> Iterator[Attribute]:
    yield mtime("zip entry mtime", _dos_time(entry.date_time))
    # On Unix, st_mode is in the upper half and MS-DOS attributes in the lower (Info-ZIP's proginfo/extrafld.txt).
    yield mode("zip entry mode", entry.external_attr >> 16)
    yield header("zip entry file type", f"{(entry.external_attr >> 16) & 0o170000:06o}")
    yield header("zip entry DOS attributes", f"{entry.external_attr & 0xFFFF:#06x}")
    yield header("zip entry create system", entry.create_system)
    yield header("zip entry create version", entry.create_version)
    yield header("zip entry extract version", entry.extract_version)
    yield header("zip entry flags", f"{entry.flag_bits:#06x}")
    yield header("zip entry compression method", entry.compress_type)
    yield header("zip entry internal attributes", entry.internal_attr)
    yield header("zip entry comment", entry.comment)


def _dos_time(parts: tuple[int, int, int, int, int, int]) -> str:
    try:
        return str(calendar.timegm(parts))
    except ValueError:
        return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*parts)


def _read_extras(local: bytes, central: bytes) -> Iterator[Attribute]:
    beside = list(_walk_extras(local, "zip extra field"))
    known = {(attribute.location, attribute.value) for attribute in beside}
    yield from beside
    for attribute in _walk_extras(central, "zip extra field"):
        if (attribute.location, attribute.value) not in known:
            yield Attribute(attribute.field, f"{attribute.location} (central directory)", attribute.value)


def _walk_extras(extra: bytes, prefix: str) -> Iterator[Attribute]:
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        data = extra[position + 4 : position + 4 + size]
        position += 4 + size
        try:
            yield from _EXTRAS.get(kind, _other_extra(kind))(data, prefix)
        except (struct.error, IndexError):
            yield header(f"{prefix} {kind:#06x}", data)
    if extra[position:]:
        yield header(f"{prefix} padding", extra[position:])


def _other_extra(kind: int) -> Callable[[bytes, str], Iterable[Attribute]]:
    return lambda data, prefix: (header(f"{prefix} {kind:#06x}", data),)


def _unix_times(data: bytes, prefix: str) -> Iterator[Attribute]:
    """Extended timestamp, "UT": bits of the first byte say which times follow; the directory has at most mtime."""
    present = [name for bit, name in enumerate(("mtime", "atime", "ctime")) if data[0] >> bit & 1]
    for name, (seconds,) in zip(present, struct.iter_unpack("<i", data[1:]), strict=False):
        yield mtime(f"{prefix} UT {name}", seconds)


def _old_unix(data: bytes, prefix: str) -> Iterator[Attribute]:
    """Info-ZIP's "UX": atime, mtime, and in the local header also uid and gid."""
    for name, (seconds,) in zip(("atime", "mtime"), struct.iter_unpack("<i", data[:8]), strict=False):
        yield mtime(f"{prefix} UX {name}", seconds)
    for name, (number,) in zip(("uid", "gid"), struct.iter_unpack("<H", data[8:12]), strict=False):
        yield owner(f"{prefix} UX {name}", number)


def _unix_owner(data: bytes, prefix: str) -> Iterator[Attribute]:
    """Info-ZIP's "ux": a version, then size and value of uid and of gid."""
    position = 1
    for name in ("uid", "gid"):
        size = data[position]
        yield owner(f"{prefix} ux {name}", int.from_bytes(data[position + 1 : position + 1 + size], "little"))
        position += 1 + size


def _ntfs_times(data: bytes, prefix: str) -> Iterator[Attribute]:
    """NTFS: four reserved bytes, then attributes; tag 1 has three times in units of 100 ns (APPNOTE 4.5.5)."""
    tag, size = struct.unpack_from("<HH", data, 4)
    if (tag, size) != (1, 24):
        yield header(f"{prefix} NTFS", data)
        return
    for name, ticks in zip(("mtime", "atime", "ctime"), struct.unpack_from("<QQQ", data, 8), strict=True):
        seconds, rest = divmod(ticks, 10_000_000)
        fraction = f".{rest:07}" if rest else ""
        yield mtime(f"{prefix} NTFS {name}", f"{seconds - _FILETIME_1970}{fraction}")


def _sizes(data: bytes, prefix: str) -> Iterator[Attribute]:
    """Zip64 sizes and offsets (APPNOTE 4.5.3), which follow from the contents: only how many there are."""
    yield header(f"{prefix} zip64", f"{len(data)} bytes")


_EXTRAS: dict[int, Callable[[bytes, str], Iterable[Attribute]]] = {
    0x0001: _sizes,
    0x000A: _ntfs_times,
    0x5455: _unix_times,
    0x5855: _old_unix,
    0x7875: _unix_owner,
}
