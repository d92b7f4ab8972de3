"""Tar: members sorted by name, fixed times, owners and modes, pax headers only where ustar is not enough.

See https://reproducible-builds.org/docs/archives/ and "Reproducibility" in the GNU tar manual.  Both allow clamping
times instead of setting them; here all are set, because the mtimes of files in a checkout vary too.
"""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.bounded_io import SmallReads
from pytest_ftc.normalize.hard_links import settle_links
from pytest_ftc.normalize.member_names import check_names, show
from pytest_ftc.normalize.rules import CHUNK, Budget, Rules, check_count

BROKEN = (tarfile.TarError, OSError, ValueError, IndexError, OverflowError, RecursionError, EOFError)
"""Exceptions that tarfile raises on damaged input."""

_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE)
_OTHERS = (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)

_REGENERATED = frozenset(
    [
        *(
            "path",
            "linkpath",
            "size",
            "mtime",
            "atime",
            "ctime",
            "uid",
            "gid",
            "uname",
            "gname",
            "charset",
            "hdrcharset",
        ),
        *("comment", "LIBARCHIVE.creationtime", "SCHILY.dev", "SCHILY.ino", "SCHILY.nlink", "SCHILY.filetype"),
        "SCHILY.realsize",
    ]
)
"""pax keywords to drop: tarfile writes the first ones again where needed, the others describe the build machine.

See POSIX pax, "pax Extended Header", for the lower-case ones; libarchive's tar(5) for LIBARCHIVE and SCHILY.
"""


def is_tar(head: bytes) -> bool:
    """Return whether `head`, the first 512 bytes of a file, is a tar header with a correct checksum."""
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except BROKEN:
        return False
    return True


def normalize_tar(source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
    """Rewrite an uncompressed tar archive."""
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", SmallReads(source)), mode="r:", encoding="utf-8") as archive:
            members = _read_members(archive, source)
            _write_members(archive, members, target, rules)
    except BROKEN as error:
        raise NormalizationError(f"it is damaged as a tar archive: {error}") from error


def _read_members(archive: tarfile.TarFile, source: BinaryIO) -> list[tarfile.TarInfo]:
    """Return all members; raises NormalizationError if the file holds anything but them and the end mark."""
    length = source.seek(0, 2)
    members = list(_scan(archive, length))
    _check_end(source, archive.offset)
    check_names((_bytes(member.name), member.isdir()) for member in members)
    return members


def _scan(archive: tarfile.TarFile, length: int) -> Iterator[tarfile.TarInfo]:
    offset = -1
    for count, member in enumerate(archive, 1):
        check_count(count)
        if member.offset <= offset:
            raise NormalizationError("a header of the tar archive has a negative size")
        offset = member.offset
        _check_member(member, length)
        yield member


def _check_member(member: tarfile.TarInfo, length: int) -> None:
    name = show(_bytes(member.name))
    if member.type not in _REGULAR + _OTHERS:
        raise NormalizationError(f"member {name} has the unknown type {member.type!r}")
    # A whiteout: it deletes a file of a lower layer (OCI image specification, layer.md, "Whiteouts").
    if member.name.rpartition("/")[2].startswith(".wh."):
        raise NormalizationError(
            f"member {name} shows that this is a container layer, whose owners and modes are content"
        )
    if member.size < 0 or _stored_end(member) > length:
        raise NormalizationError(f"member {name} is cut short")
    if not member.isreg() and member.size and not member.isdir():
        raise NormalizationError(f"member {name} is not a file, but has content")


def _stored_end(member: tarfile.TarInfo) -> int:
    """Return the end offset of the stored content of `member`; a sparse file stores less than its size."""
    sparse: list[tuple[int, int]] | None = getattr(member, "sparse", None)
    size = member.size if sparse is None else sum(length for _, length in sparse)
    return member.offset_data + (size if member.isreg() else 0)


def _check_end(source: BinaryIO, offset: int) -> None:
    """Raise NormalizationError unless only NULs follow `offset`, at least two blocks, as POSIX requires (pax, "ustar").

    tarfile treats a damaged header as the end; without this check, members could be lost.
    """
    source.seek(offset)
    zeros = 0
    while chunk := source.read(CHUNK):
        if chunk.count(0) != len(chunk):
            raise NormalizationError("the tar archive has a damaged header, or other data after its end")
        zeros += len(chunk)
    if zeros < 2 * tarfile.BLOCKSIZE:
        raise NormalizationError("the tar archive has no end mark: it is cut short")


def _write_members(archive: tarfile.TarFile, members: list[tarfile.TarInfo], target: BinaryIO, rules: Rules) -> None:
    budget = Budget(rules)
    comment = {key: value for key, value in archive.pax_headers.items() if key == "comment"}
    with tarfile.open(
        fileobj=target, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8", pax_headers=comment
    ) as normal:
        for name, member, link in settle_links(sorted(members, key=lambda member: _bytes(member.name))):
            header = _header(name, member, link, rules)
            budget.spend(header.size)
            content = archive.extractfile(member) if header.isreg() else None
            normal.addfile(header, content)


def _header(name: str, member: tarfile.TarInfo, link: str | None, rules: Rules) -> tarfile.TarInfo:
    """Return the header that stores `member` as `name`; as a hard link to `link` unless that is None."""
    header = tarfile.TarInfo(name)
    header.mtime = rules.epoch
    header.mode = _mode(member)
    if link is not None:
        header.type, header.linkname = tarfile.LNKTYPE, link
        return header
    header.type = tarfile.REGTYPE if member.type in _REGULAR else member.type
    header.size = member.size if header.isreg() else 0
    header.linkname = member.linkname
    header.devmajor, header.devminor = member.devmajor, member.devminor
    header.pax_headers = {key: value for key, value in member.pax_headers.items() if not _regenerated(key)}
    return header


def _mode(member: tarfile.TarInfo) -> int:
    """Return 755 or 644 by the owner's executable bit, as git does; set-id and sticky bits are content and kept."""
    if member.issym():
        return 0o777
    executable = member.isdir() or member.mode & stat.S_IXUSR
    return member.mode & 0o7000 | (0o755 if executable else 0o644)


def _regenerated(keyword: str) -> bool:
    return keyword in _REGENERATED or keyword.startswith("GNU.sparse.")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
