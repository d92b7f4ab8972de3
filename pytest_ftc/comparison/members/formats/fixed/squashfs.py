"""Squashfs images, version 4, file by file (https://dr-emann.github.io/squashfs/squashfs.html, by its sections)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.formats.compression import decompress, xz_decoder, zlib_decoder, zstd_decoder
from pytest_ftc.comparison.members.formats.fixed.layouts import SQUASHFS
from pytest_ftc.comparison.members.formats.fixed.reader import find_layout, number_at, read_fields, read_layout
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, span_of, spool
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.inflate import Decompressor

_DECODERS: dict[int, Callable[[], Decompressor]] = {1: zlib_decoder, 4: xz_decoder, 6: zstd_decoder}
"""By the compressor's number (section 2, The Superblock)."""
_BLOCK = 8192
"""Most bytes of a metadata block, before it is compressed (section 3.1)."""
_PLAIN_BLOCK, _PLAIN_DATA = 0x8000, 1 << 24
"""Bits in the sizes of blocks that are stored as they are (sections 3.1 and 4)."""
_MOST_FILLING = 64 << 10
_DEEPEST = 100
_FOLDERS, _FILES, _LINKS = (1, 8), (2, 9), (3, 10)
_NO_FRAGMENT = 0xFFFFFFFF
_KINDS = {1: 0o040000, 2: 0o100000, 3: 0o120000, 4: 0o060000, 5: 0o020000, 6: 0o010000, 7: 0o140000}


@dataclass(frozen=True, slots=True)
class _Inode:
    kind: int
    mode: int
    uid: int
    gid: int
    mtime: int
    start: int
    """Of the folder's list or of the file's blocks."""
    offset: int
    """Of the list in its metadata block, or of the file's end in its fragment."""
    size: int
    fragment: int = _NO_FRAGMENT
    blocks: tuple[int, ...] = ()
    target: bytes = b""
    """Of a symbolic link."""


@dataclass(slots=True)
class _Image:
    span: Span
    budget: Budget
    decode: Callable[[], Decompressor]
    block: int
    """Bytes of a block of data."""
    tables: dict[str, int]
    ids: Sequence[int] = ()
    read: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    """Metadata blocks: their bytes, and where the next one begins."""
    seen: set[tuple[int, int]] = field(default_factory=set)
    """Lists of folders."""

    def metadata(self, start: int, offset: int, size: int) -> bytes:
        """Return bytes of a table, from an offset in the block at `start` on."""
        found = b""
        while len(found) < offset + size:
            block, start = self._block(start)
            if not block:
                raise ValueError("a table that ends too early")
            found += block
        return found[offset : offset + size]

    def _block(self, start: int) -> tuple[bytes, int]:
        if start not in self.read:
            head = number_at(self.span.read(start, 2), 0, 2)
            size = head & ~_PLAIN_BLOCK
            stored = self.span.part(start + 2, size)
            plain = stored if head & _PLAIN_BLOCK else self.unpack(stored)
            if plain.size > _BLOCK:
                raise ValueError("a metadata block that is too large")
            self.read[start] = plain.read(0, _BLOCK), start + 2 + size
        return self.read[start]

    def unpack(self, stored: Span) -> Span:
        return decompress(stored, self.decode, self.budget, single=True).payload

    def pointed(self, table: str, index: int, size: int) -> bytes:
        """Return an entry of a table that is a list of pointers to metadata blocks (section 6, 7)."""
        number, offset = divmod(index * size, _BLOCK)
        pointer = self.span.read(self.tables[table] + 8 * number, 8)
        return self.metadata(number_at(pointer, 0, 8), offset, size)


def is_squashfs(span: Span, name: str) -> bool:
    return find_layout(span, [SQUASHFS]) is not None


def read_squashfs(span: Span, budget: Budget) -> Contents:
    """Return the fields of the superblock and the files; only the former if the compression is not known.

    Raises ValueError and exceptions of decoders for an invalid image, LimitReachedError, OutOfTimeError.
    """
    head = span.read(0, 96)
    decode = _DECODERS.get(number_at(head, 20, 2))
    if decode is None or number_at(head, 28, 2) != 4:
        return read_layout(span, budget)
    names = ("id", "xattr", "inode", "directory", "fragment", "export")
    tables = {name: number_at(head, 48 + 8 * index, 8) for index, name in enumerate(names)}
    image = _Image(span, budget, decode, number_at(head, 12, 4), tables)
    image.ids = [number_at(image.pointed("id", index, 4), 0, 4) for index in range(number_at(head, 26, 2))]
    root = number_at(head, 32, 8)
    members = tuple(budget.few(_walk(image, root >> 16, root & 0xFFFF, "", 0)))
    rest = Member(name="rest", part="data after the squashfs image", stored=_after(span, number_at(head, 40, 8)))
    fields = tuple(read_fields(span, SQUASHFS.name, SQUASHFS.fields, SQUASHFS.order))
    recoded = "squashfs tables (how they are compressed, or what else they hold)"
    return Contents(
        format=FileFormat.IMAGE, noun="squashfs file", attributes=fields, members=(*members, rest), recoded=recoded
    )


def _after(span: Span, used: int) -> Span:
    """Return what comes after the image, with zeros up to a common size: images are filled up to full pages."""
    rest = span.part(used, span.size - used)
    return rest if rest.size > _MOST_FILLING else span_of(rest.read(0, rest.size).ljust(_MOST_FILLING, b"\0"))


def _walk(image: _Image, block: int, offset: int, path: str, depth: int) -> Iterator[Member]:
    """Yield a file, or a folder and all in it."""
    inode = _read_inode(image, image.tables["inode"] + block, offset)
    content = partial(_content, image, inode) if inode.kind in _FILES else None
    yield Member(name=path or ".", attributes=tuple(_describe(image, inode)), content=content)
    place = (inode.start, inode.offset)
    # An empty folder has no list, and its size is 3 (section 5, Directory Table).
    if inode.kind not in _FOLDERS or inode.size <= 3:
        return
    if depth >= _DEEPEST or place in image.seen:
        raise ValueError("folders in folders without an end")
    image.seen.add(place)
    listed = image.metadata(image.tables["directory"] + inode.start, inode.offset, inode.size - 3)
    for start, inner, name in _entries(listed):
        full = f"{path}/{name.decode(errors='surrogateescape')}".removeprefix("/")
        yield from _walk(image, start, inner, full, depth + 1)


def _entries(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield block and offset of the inode, and the name, of each entry of a folder (section 5)."""
    position = 0
    while position < len(data):
        count, start, _ = struct.unpack_from("<III", data, position)
        position += 12
        for _ in range(count + 1):
            offset, _, _, size = struct.unpack_from("<HhHH", data, position)
            yield start, offset, data[position + 8 : position + 9 + size]
            position += 9 + size


def _read_inode(image: _Image, start: int, offset: int) -> _Inode:
    """Return an inode (section 4, Inode Table)."""
    kind, bits, uid, gid, time, _ = struct.unpack("<HHHHII", image.metadata(start, offset, 16))
    more = partial(_unpack, image, start, offset + 16)
    common = (kind, bits, image.ids[uid], image.ids[gid], time)
    if kind == 1:
        block, _, size, inner, _ = more("<IIHHI")
        return _Inode(*common, block, inner, size)
    if kind == 8:
        _, size, block, _, _, inner, _ = more("<IIIIHHI")
        return _Inode(*common, block, inner, size)
    if kind in _FILES:
        layout = "<IIII" if kind == 2 else "<QQQIIII"
        if kind == 2:
            block, fragment, inner, size = more(layout)
        else:
            block, size, _, _, fragment, inner, _ = more(layout)
        count = size // image.block if fragment != _NO_FRAGMENT else -(-size // image.block)
        if count > image.span.size:
            raise ValueError("more blocks than there can be")
        sizes = more(f"{count}I", struct.calcsize(layout))
        return _Inode(*common, block, inner, size, fragment, sizes)
    if kind in _LINKS:
        _, size = more("<II")
        if size > 1 << 16:
            raise ValueError("a link that is too long")
        return _Inode(*common, 0, 0, size, target=image.metadata(start, offset + 24, size))
    return _Inode(*common, 0, 0, 0)


def _unpack(image: _Image, start: int, offset: int, layout: str, skipped: int = 0) -> tuple[int, ...]:
    layout = f"<{layout.lstrip('<')}"
    return struct.unpack(layout, image.metadata(start, offset + skipped, struct.calcsize(layout)))


def _describe(image: _Image, inode: _Inode) -> Iterator[Attribute]:
    yield mtime("squashfs file mtime", inode.mtime)
    yield mode("squashfs file mode", inode.mode)
    yield owner("squashfs file uid", inode.uid)
    yield owner("squashfs file gid", inode.gid)
    yield header("squashfs file type", f"{_KINDS.get((inode.kind - 1) % 7 + 1, 0):06o}")
    if inode.kind in _LINKS:
        yield header("squashfs link target", inode.target)


def _content(image: _Image, inode: _Inode) -> Span:
    return spool(_blocks(image, inode), image.budget)


def _blocks(image: _Image, inode: _Inode) -> Iterator[bytes]:
    position, left = inode.start, inode.size
    for size in inode.blocks:
        stored = image.span.part(position, size & ~_PLAIN_DATA)
        # A block of zeros is not stored.
        yield _data(image, stored, plain=bool(size & _PLAIN_DATA)) if size else bytes(min(left, image.block))
        position += stored.size
        left -= image.block
    if inode.fragment != _NO_FRAGMENT and left > 0:
        entry = image.pointed("fragment", inode.fragment, 16)
        size = number_at(entry, 8, 4)
        stored = image.span.part(number_at(entry, 0, 8), size & ~_PLAIN_DATA)
        whole = _data(image, stored, plain=bool(size & _PLAIN_DATA))
        yield whole[inode.offset : inode.offset + left]


def _data(image: _Image, stored: Span, *, plain: bool) -> bytes:
    content = stored if plain else image.unpack(stored)
    if content.size > image.block:
        raise LimitReachedError("a block larger than it may be")
    return content.read(0, content.size)
