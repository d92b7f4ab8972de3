"""Zip and the formats based on it: wheel, jar, EPUB, zipapp.  Fixes order, times, modes and compression."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from typing import IO, BinaryIO, cast

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.bounded_io import SmallReads
from pytest_ftc.normalize.member_names import check_names, show
from pytest_ftc.normalize.rules import CHUNK, Budget, Rules
from pytest_ftc.normalize.wheel import Check, Record, find_dist_info
from pytest_ftc.normalize.zip.contents import read_content
from pytest_ftc.normalize.zip.order import plain_order, wheel_order
from pytest_ftc.normalize.zip.reading import UTF8, Member, prefix_length, read_members, split_extra
from pytest_ftc.normalize.zip.writing import BZIP2, DEFLATED, LZMA, STORED, Entry, ZipWriter

BROKEN = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, struct.error, OSError, EOFError),
    *(ValueError, OverflowError, NotImplementedError, RuntimeError, IndexError, MemoryError),
)
"""Exceptions that zipfile and its decompressors raise on damaged input."""

_METHODS = (STORED, DEFLATED, BZIP2, LZMA)
_MADE_ON_UNIX = (3, 19)
"""Unix and Darwin: only these store permissions in the external attributes (APPNOTE 4.4.2)."""
_LARGEST_RECORD = 64 << 20

_JAR = 0xCAFE
"""An empty field that java.util.jar.JarOutputStream puts on the first member, so that file(1) recognises a jar."""
_ALIGNED = 0xD935
"""Padding by Android's build tools."""
_DROPPED = {0x0001, 0x000A, 0x000D, 0x5455, 0x5855, 0x7855, 0x7875, _JAR}
"""Zip64 and jar fields are written anew; the others hold times and owners: NTFS, PKWARE's Unix (APPNOTE 4.5.2),
and Info-ZIP's UT, UX, Ux and ux (proginfo/extrafld.txt in its sources)."""

_SIGNED = {b".signature.p7s": "a NuGet", b"AppxSignature.p7x": "an MSIX"}
"""Members that sign the layout of the whole file; a jar's signatures cover only contents."""


def is_zip(source: BinaryIO) -> bool:
    """Return whether `source` ends with a zip archive, whatever comes before it."""
    return zipfile.is_zipfile(cast("IO[bytes]", SmallReads(source)))


def normalize_zip(source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
    """Rewrite a zip archive."""
    try:
        with zipfile.ZipFile(cast("IO[bytes]", SmallReads(source))) as archive:
            _rewrite(archive, source, target, rules)
    except BROKEN as error:
        raise NormalizationError(f"it is damaged as a zip archive: {error}") from error


def _rewrite(archive: zipfile.ZipFile, source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
    members = read_members(archive, source)
    _check_members(members, rules)
    _copy_prefix(source, target, prefix_length(archive, members))
    names = [member.name for member in members]
    dist_info = find_dist_info(names)
    record = _read_record(source, members, dist_info) if dist_info else None
    order = wheel_order(dist_info) if dist_info else plain_order
    is_jar = any(_has_field(member, _JAR) for member in members)
    members.sort(key=lambda member: order(member.name))
    writer = ZipWriter(target, rules.epoch)
    budget = Budget(rules)
    for number, member in enumerate(members):
        marked = is_jar and number == 0
        check = record.watch(member.name) if record and not member.is_folder else None
        writer.add(_entry(member, marked), _read(source, member, budget, check))
    writer.finish(archive.comment)


def _check_members(members: list[Member], rules: Rules) -> None:
    check_names((member.name, member.is_folder) for member in members)
    # Too large a declared size is refused before anything is decompressed.
    Budget(rules).spend(sum(member.info.file_size for member in members))
    for member in members:
        name = show(member.name)
        if member.info.compress_type not in _METHODS:
            raise NormalizationError(f"member {name} has the unknown compression method {member.info.compress_type}")
        if member.name in _SIGNED:
            raise NormalizationError(f"it has {_SIGNED[member.name]} signature, which would no longer be valid")
        if member.is_folder and member.info.file_size:
            raise NormalizationError(f"the folder {name} has content")
        if _has_field(member, _ALIGNED):
            raise NormalizationError(f"member {name} is aligned for Android; normalize first, then run zipalign")


def _has_field(member: Member, identifier: int) -> bool:
    fields = [*split_extra(member.local_extra), *split_extra(member.info.extra)]
    return any(found == identifier for found, _ in fields)


def _copy_prefix(source: BinaryIO, target: BinaryIO, length: int) -> None:
    source.seek(0)
    while length and (piece := source.read(min(length, CHUNK))):
        target.write(piece)
        length -= len(piece)


def _read_record(source: BinaryIO, members: list[Member], dist_info: bytes) -> Record:
    member = next((member for member in members if member.name == dist_info + b"RECORD"), None)
    if member is None:
        raise NormalizationError("the wheel has no RECORD")
    if member.info.file_size > _LARGEST_RECORD:
        raise NormalizationError(f"RECORD has {member.info.file_size} bytes")
    record = Record(b"".join(read_content(member, source)), dist_info)
    record.check_names([member.name for member in members if not member.is_folder])
    return record


def _entry(member: Member, marked: bool) -> Entry:
    info = member.info
    mark = struct.pack("<HH", _JAR, 0) if marked else b""
    return Entry(
        name=member.name,
        flags=0 if (member.name + info.comment).isascii() else info.flag_bits & UTF8,
        method=STORED if member.is_folder or member.name == b"mimetype" else info.compress_type,
        size=info.file_size,
        external=_external(member),
        # Bit 0 says that the member is text; the others are reserved, or for mainframes (APPNOTE 4.4.14).
        internal=info.internal_attr & 1,
        comment=info.comment,
        local_extra=mark + _kept(member.local_extra),
        central_extra=mark + _kept(info.extra),
        crc=info.CRC,
    )


def _kept(extra: bytes) -> bytes:
    """Return the extra fields that describe neither the layout nor the build machine, such as a Unicode name."""
    return b"".join(
        struct.pack("<HH", identifier, len(content)) + content
        for identifier, content in sorted(split_extra(extra))
        if identifier not in _DROPPED
    )


def _external(member: Member) -> int:
    """Return the external attributes: st_mode in the upper half, 755 or 644 by the owner's executable bit."""
    mode = member.info.external_attr >> 16 if member.info.create_system in _MADE_ON_UNIX else 0
    kind = stat.S_IFMT(mode)
    if member.is_folder:
        return (stat.S_IFDIR | 0o755) << 16 | 0x10  # and the directory bit of MS-DOS, as Info-ZIP does
    if kind == stat.S_IFLNK:
        return (stat.S_IFLNK | 0o777) << 16
    if kind not in (0, stat.S_IFREG):
        raise NormalizationError(f"member {show(member.name)} is not a file, folder or symlink")
    return (stat.S_IFREG | mode & 0o7000 | (0o755 if mode & stat.S_IXUSR else 0o644)) << 16


def _read(source: BinaryIO, member: Member, budget: Budget, check: Check | None) -> Iterator[bytes]:
    """Yield the content, counted by `budget` and compared with RECORD by `check`."""
    for piece in read_content(member, source):
        budget.spend(len(piece))
        if check:
            check.update(piece)
        yield piece
    if check:
        check.finish()
