"""tar archives: ustar and pax (POSIX pax, "ustar Interchange Format") and GNU (its manual, "Basic Tar Format").

The standard library parses each header, but not the whole archive: tarfile hides GNU's long-name records and the
headers of pax records.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_BLOCK = 512
_LARGEST_RECORD = 1 << 20
_PAX, _GLOBAL, _SOLARIS, _LONG_NAME, _LONG_LINK, _SPARSE = b"x", b"g", b"X", b"L", b"K", b"S"
"""Values of typeflag: x and g are POSIX, X is Solaris's form of x, the others are GNU's."""


def is_tar(span: Span, name: str) -> bool:
    head = span.read(0, _BLOCK)
    if head[257:262] == b"ustar":
        return True
    return name.endswith(".tar") and len(head) == _BLOCK and head[:1] != b"\0" and _is_header(head)


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


@dataclass(slots=True)
class _Pending:
    """Records that apply to the next header."""

    name: str = ""
    link: str = ""
    pax: dict[str, bytes] = field(default_factory=dict)
    fields: list[Attribute] = field(default_factory=list)


def read_tar(span: Span, budget: Budget) -> Contents:
    """Return the members as they are stored.  Raises tarfile.HeaderError, ValueError, OutOfTimeError."""
    shared: list[Attribute] = []
    members = tuple(budget.few(_walk(span, budget, shared)))
    return Contents(format=FileFormat.TAR, noun="tar member", attributes=tuple(shared), members=members)


def _walk(span: Span, budget: Budget, shared: list[Attribute]) -> Iterator[Member]:
    position, pending = 0, _Pending()
    while position < span.size:
        budget.check_time()
        block = span.read(position, _BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            return
        position += _BLOCK
        if info.type == _SPARSE:
            position += _skip_sparse_map(span, position, block)
        # The pax keyword "size" overrides the field of the header, whose octal digits end at 8 GiB.
        size = _size(info, pending)
        if size < 0:
            raise ValueError("a negative size")
        if info.type in (_PAX, _SOLARIS, _GLOBAL, _LONG_NAME, _LONG_LINK):
            _read_record(info, span.read(position, min(size, _LARGEST_RECORD)), pending, shared)
        else:
            data = span.part(position, min(size, span.size - position)) if _has_data(info) else None
            yield _read_member(info, block, data, pending)
            pending = _Pending()
        position += (size + _BLOCK - 1) // _BLOCK * _BLOCK if _has_data(info) else 0


def _has_data(info: tarfile.TarInfo) -> bool:
    return info.type not in (
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
    )


def _size(info: tarfile.TarInfo, pending: _Pending) -> int:
    stated = pending.pax.get("size", b"")
    return int(stated) if stated.isdigit() and len(stated) < 20 else info.size


def _skip_sparse_map(span: Span, position: int, block: bytes) -> int:
    """Return the size of the blocks that continue the map of an old GNU sparse file, before its data.

    "isextended" at offset 482 of the header, and at 504 of each such block, says that another block follows
    (GNU tar manual, "Storing Sparse Files").
    """
    size, more = 0, block[482:483] not in (b"", b"\0")
    while more:
        extension = span.read(position + size, _BLOCK)
        size += _BLOCK
        more = extension[504:505] not in (b"", b"\0")
    return size


def _read_record(info: tarfile.TarInfo, data: bytes, pending: _Pending, shared: list[Attribute]) -> None:
    if info.type == _LONG_NAME:
        pending.name = data.rstrip(b"\0").decode(errors="surrogateescape")
    elif info.type == _LONG_LINK:
        pending.link = data.rstrip(b"\0").decode(errors="surrogateescape")
    else:
        pax = dict(_pax_fields(data))
        prefix = "tar global pax header" if info.type == _GLOBAL else "tar pax header"
        fields = [_pax_attribute(key, value, prefix) for key, value in pax.items()]
        fields.extend(replace(each, accompanies=bool(pax)) for each in _own_fields(info, prefix))
        if info.type == _GLOBAL:
            shared.extend(fields)
        else:
            pending.pax = pax
            pending.fields = fields


def _own_fields(info: tarfile.TarInfo, prefix: str) -> Iterator[Attribute]:
    """Yield what the record of a pax header has in its own header."""
    # GNU tar may put its process ID here (its manual, "exthdr.name").
    yield header(f"{prefix} record name", info.name.encode(errors="surrogateescape"))
    yield replace(mtime(f"{prefix} record mtime", int(info.mtime)), follows=True)
    yield mode(f"{prefix} record mode", info.mode)
    yield owner(f"{prefix} record owner", f"{info.uid}:{info.gid} {info.uname}:{info.gname}")


def _pax_fields(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the fields of a pax header, each "length keyword=value\\n"; the length counts all of it (POSIX pax)."""
    position = 0
    while position < len(data) and data[position : position + 1] != b"\0":
        digits, _, _ = data[position : position + 20].partition(b" ")
        size = int(digits)
        field_, equals, value = data[position + len(digits) + 1 : position + size].partition(b"=")
        if not equals or size <= len(digits):
            raise ValueError("an invalid pax header")
        yield field_.decode(errors="surrogateescape"), value.removesuffix(b"\n")
        position += size


def _pax_attribute(key: str, value: bytes, prefix: str) -> Attribute:
    kinds = {"uid": Field.OWNER, "gid": Field.OWNER, "uname": Field.OWNER, "gname": Field.OWNER}
    kinds |= {"mtime": Field.MTIME, "atime": Field.MTIME, "ctime": Field.MTIME, "linkpath": Field.NAME}
    kinds |= {"LIBARCHIVE.creationtime": Field.MTIME}
    follows = key in ("size", "GNU.sparse.realsize", "GNU.sparse.size")
    return Attribute(kinds.get(key, Field.HEADER), f"{prefix} {key}", value, follows)


def _read_member(info: tarfile.TarInfo, block: bytes, data: Span | None, pending: _Pending) -> Member:
    pax = pending.pax
    name = pax["path"].decode(errors="surrogateescape") if "path" in pax else pending.name or info.name
    fields = [each for each in pending.fields if each.location != "tar pax header path"]
    if "mtime" not in pax:
        fields.append(mtime("tar member mtime", int(info.mtime)))
    fields.append(mode("tar member mode", info.mode))
    keys = [key for key in ("uid", "gid", "uname", "gname") if key not in pax]
    fields.extend(owner(f"tar member {key}", getattr(info, key)) for key in keys)
    if "linkpath" not in pax:
        link = (pending.link or info.linkname).encode(errors="surrogateescape")
        fields.append(Attribute(Field.NAME, "tar member link target", link))
    fields.append(header("tar member type", info.type))
    # The fields magic and version: "ustar", NUL, "00" in POSIX, "ustar", two spaces, NUL in GNU.
    fields.append(header("tar member format", block[257:265]))
    fields.append(header("tar member device", f"{info.devmajor},{info.devminor}"))
    return Member(name=name, attributes=tuple(fields), stored=data)
