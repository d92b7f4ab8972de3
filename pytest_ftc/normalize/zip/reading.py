"""Reading a zip archive: zipfile finds the members; this module checks that they account for every byte.

The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, cited here as APPNOTE.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.member_names import show
from pytest_ftc.normalize.rules import check_count

UTF8 = 0x800
"""General purpose bit 11: name and comment are UTF-8 (APPNOTE 4.4.4)."""
_DESCRIPTOR = 0x8
"""Bit 3: sizes and CRC follow the data."""
_UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000
"""Bits 0, 6 and 13 for encryption, bit 5 for patches."""

_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")

_DESCRIPTORS = (0, 12, 16, 20, 24)
"""Sizes of a data descriptor: 32-bit or 64-bit sizes, with or without a signature (APPNOTE 4.3.9); or it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of the central directory."""

    info: zipfile.ZipInfo
    name: bytes
    """As stored: UTF-8 if bit 11 is set, else in an unknown encoding."""
    local_extra: bytes
    start: int
    """Offset of the data."""
    end: int
    """Offset of the end of the data."""

    @property
    def is_folder(self) -> bool:
        return self.name.endswith(b"/")


def read_members(archive: zipfile.ZipFile, source: BinaryIO) -> list[Member]:
    """Return the members in the order of their data; raises NormalizationError if they overlap or leave gaps.

    A gap may hold a deleted member or a signature (of an APK, for example).  Data before the first member is allowed:
    in a self-extracting archive it is a program (APPNOTE 4.1.9).
    """
    check_count(len(archive.filelist))
    _check_end(archive, source)
    infos = sorted(archive.filelist, key=lambda info: info.header_offset)
    members = [_read_member(info, source) for info in infos]
    starts = [info.header_offset for info in infos[1:]] + [archive.start_dir]
    for member, start in zip(members, starts, strict=True):
        gap = start - member.end
        if gap < 0:
            raise NormalizationError(f"member {show(member.name)} and the next one overlap")
        if gap and not (member.info.flag_bits & _DESCRIPTOR and gap in _DESCRIPTORS):
            raise NormalizationError(f"after member {show(member.name)} come {gap} bytes that belong to no member")
    return members


def prefix_length(archive: zipfile.ZipFile, members: list[Member]) -> int:
    """Return the number of bytes before the first member."""
    return members[0].info.header_offset if members else archive.start_dir


def _check_end(archive: zipfile.ZipFile, source: BinaryIO) -> None:
    source.seek(-_END.size - len(archive.comment), 2)
    signature, disk, first_disk, *_, comment = _END.unpack(source.read(_END.size))
    if signature != b"PK\5\6" or comment != len(archive.comment):
        raise NormalizationError("other data follows the end of the zip archive")
    # 0xFFFF: the disk number is in the zip64 record (APPNOTE 4.4.19 and 4.4.20).
    if disk not in (0, 0xFFFF) or first_disk not in (0, 0xFFFF):
        raise NormalizationError("it is one part of a zip archive in several files")
    # https://source.android.com/docs/core/ota/sign_builds: the comment holds the signature of the whole file.
    if archive.comment[-4:-2] == b"\xff\xff":
        raise NormalizationError("its comment holds a signature of the whole file")


def _read_member(info: zipfile.ZipInfo, source: BinaryIO) -> Member:
    # APPNOTE appendix D.1: names are in code page 437 unless bit 11 is set; zipfile has decoded them so.
    name = info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")
    if info.flag_bits & _UNREADABLE:
        raise NormalizationError(f"member {show(name)} is encrypted or patched")
    source.seek(info.header_offset)
    head = source.read(_LOCAL.size)
    signature, *_, name_length, extra_length = _LOCAL.unpack(head)
    if signature != b"PK\3\4" or source.read(name_length) != name:
        raise NormalizationError(f"member {show(name)} is not where the zip archive's directory says")
    extra = source.read(extra_length)
    start = info.header_offset + _LOCAL.size + name_length + extra_length
    return Member(info=info, name=name, local_extra=extra, start=start, end=start + info.compress_size)


def split_extra(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield header ID and content of each extra field (APPNOTE 4.5.1); raises NormalizationError if malformed."""
    while extra:
        if len(extra) < 4:
            raise NormalizationError("an extra field of the zip archive is malformed (padding of an aligned archive?)")
        identifier, size = struct.unpack_from("<HH", extra)
        if len(extra) < 4 + size:
            raise NormalizationError("an extra field of the zip archive is cut short")
        yield identifier, extra[4 : 4 + size]
        extra = extra[4 + size :]
