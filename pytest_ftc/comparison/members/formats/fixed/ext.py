"""ext2, ext3 and ext4 file systems, inode by inode (https://docs.kernel.org/filesystems/ext4/, cited by its pages)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.formats.fixed.layouts import EXT
from pytest_ftc.comparison.members.formats.fixed.reader import find_layout, number_at, read_fields, rest_of
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_SUPERBLOCK = 1024
_ROOT, _FIRST_ORDINARY = 2, 11
_WIDE = 0x80
"""The feature "64bit", with which descriptors have more than 32 bytes (Super Block, s_feature_incompat)."""
_REGULAR, _FOLDER, _KINDS = 0x8000, 0x4000, 0xF000
_JOURNAL, _JOURNAL_UUID = 8, 0x30
"""Its inode, and where its superblock has the identifier of the file system (Journal, "Super Block")."""
_EXTENTS, _EXTENT_MAGIC = 0x80000, 0xF30A
_TAIL = 12
"""Bytes of the checksum that ends each block of a folder (Directory Entries, "Linear Directories")."""
_DESCRIPTOR_CHECKSUMS = ((0x18, 2), (0x1A, 2), (0x1E, 2), (0x38, 2), (0x3A, 2))
"""Of both bitmaps and of the descriptor itself (Block Group Descriptors)."""
_TIMES = (("atime", 0x08), ("ctime", 0x0C), ("mtime", 0x10), ("dtime", 0x14), ("crtime", 0x90))
_EXTRA = (("ctime", 0x84), ("mtime", 0x88), ("atime", 0x8C), ("crtime", 0x94))
"""Nanoseconds and further bits of the times (Index Nodes, "Inode Timestamps")."""
_INODE_CHECKSUMS = ((0x7C, 2), (0x82, 2))


@dataclass(slots=True)
class _FileSystem:
    span: Span
    budget: Budget
    block: int
    inode: int
    """Bytes of a block and of an inode."""
    names: dict[int, str] = field(default_factory=lambda: {_ROOT: "."})
    read: list[tuple[int, int]] = field(default_factory=list)
    """What is compared by itself, as offsets and sizes."""

    def blocks(self, inode: bytes) -> Sequence[tuple[int, int]]:
        """Return the offsets and sizes of the data of an inode that has all its extents in itself."""
        if not number_at(inode, 0x20, 4) & _EXTENTS or number_at(inode, 0x28, 2) != _EXTENT_MAGIC:
            return ()
        count, depth = number_at(inode, 0x2A, 2), number_at(inode, 0x2E, 2)
        entries = [inode[0x34 + 12 * number : 0x40 + 12 * number] for number in range(0 if depth else min(count, 4))]
        return [
            ((number_at(each, 8, 4) | number_at(each, 6, 2) << 32) * self.block, number_at(each, 4, 2) * self.block)
            for each in entries
            if number_at(each, 4, 2) <= 0x8000
        ]


def is_ext(span: Span, name: str) -> bool:
    return find_layout(span, [EXT]) is not None


def read_ext(span: Span, budget: Budget) -> Contents:
    """Return the fields of the superblock and the inodes in use.  Raises ValueError, OutOfTimeError."""
    super_block = span.read(_SUPERBLOCK, 1024)
    size = number_at(super_block, 88, 2) if number_at(super_block, 76, 4) else 128
    system = _FileSystem(span, budget, 1024 << number_at(super_block, 24, 4), size)
    if size < 128 or system.block > 1 << 16:
        raise ValueError("inodes or blocks of an impossible size")
    inodes = list(budget.few(_walk(system, super_block)))
    for number, inode, _ in sorted(inodes):
        if number_at(inode, 0, 2) & _KINDS == _FOLDER:
            _read_folder(system, number, inode)
    members = [_read_inode(system, *each) for each in inodes]
    fields = read_fields(span, EXT.name, EXT.fields, EXT.order)
    rest = rest_of(span, system.read)
    return Contents(format=FileFormat.IMAGE, noun="ext inode", attributes=tuple(fields), members=(*members, rest))


def _walk(system: _FileSystem, super_block: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield number, bytes and offset of each inode in use."""
    wide = number_at(super_block, 96, 4) & _WIDE
    size = max(number_at(super_block, 254, 2), 32) if wide else 32
    first, per_group = number_at(super_block, 20, 4), number_at(super_block, 40, 4)
    blocks = number_at(super_block, 32, 4)
    if not per_group or not blocks:
        raise ValueError("groups without inodes or blocks")
    for group in range((number_at(super_block, 0, 4) + per_group - 1) // per_group):
        system.budget.check_time()
        _skip_copies(system, (first + group * blocks) * system.block, group)
        start = (first + 1) * system.block + group * size
        descriptor = system.span.read(start, size)
        system.read += [(start + offset, length) for offset, length in _DESCRIPTOR_CHECKSUMS if offset < size]
        table = (number_at(descriptor, 8, 4) | (number_at(descriptor, 0x28, 4) << 32 if wide else 0)) * system.block
        for index in range(per_group):
            inode = system.span.read(table + index * system.inode, system.inode)
            if any(inode):
                yield group * per_group + index + 1, inode, table + index * system.inode


def _skip_copies(system: _FileSystem, start: int, group: int) -> None:
    """Let the fields of the superblock be read once, and not in its copies too."""
    start = start if group else _SUPERBLOCK
    if system.span.read(start + EXT.magic[0] - _SUPERBLOCK, 2) == EXT.magic[1]:
        system.read += [(start + each.offset - _SUPERBLOCK, each.size) for each in EXT.fields]


def _read_folder(system: _FileSystem, number: int, inode: bytes) -> None:
    path = system.names.get(number, f"inode {number}")
    for start, size in system.blocks(inode):
        system.read += [(end - _TAIL, _TAIL) for end in range(start + system.block, start + size + 1, system.block)]
        data, position = system.span.read(start, min(size, 1 << 20)), 0
        while position + 8 <= len(data) and (length := number_at(data, position + 4, 2)) >= 8:
            child, name = number_at(data, position, 4), data[position + 8 : position + 8 + data[position + 6]]
            if child >= _FIRST_ORDINARY and name not in (b".", b".."):
                full = f"{path}/{name.decode(errors='surrogateescape')}"
                system.names.setdefault(child, full.removeprefix("./"))
            position += length


def _read_inode(system: _FileSystem, number: int, inode: bytes, start: int) -> Member:
    extra = 0x80 + number_at(inode, 0x80, 2) if system.inode > 128 else 128
    times = [(name, offset) for name, offset in _TIMES if offset < extra]
    fine = [(name, offset) for name, offset in _EXTRA if offset < extra]
    system.read += [(start, 2), (start + 2, 2), (start + 0x18, 2), (start + 0x64, 4), (start + 0x78, 4)]
    system.read += [(start + offset, 4) for _, offset in (*times, *fine)]
    system.read += [(start + offset, size) for offset, size in _INODE_CHECKSUMS if offset < extra]
    attributes: list[Attribute] = [mtime(f"ext inode {name}", number_at(inode, offset, 4)) for name, offset in times]
    attributes += [
        Attribute(Field.HEADER, f"ext inode {name}, nanoseconds", str(number_at(inode, offset, 4) >> 2).encode())
        for name, offset in fine
    ]
    attributes.append(mode("ext inode mode", number_at(inode, 0, 2)))
    attributes.append(owner("ext inode uid", number_at(inode, 2, 2) | number_at(inode, 0x78, 2) << 16))
    attributes.append(owner("ext inode gid", number_at(inode, 0x18, 2) | number_at(inode, 0x7A, 2) << 16))
    attributes.append(header("ext inode generation", inode[0x64:0x68]))
    if number == _JOURNAL:
        attributes += _read_journal(system, inode)
    name = system.names.get(number, f"inode {number}")
    size = number_at(inode, 4, 4) | number_at(inode, 0x6C, 4) << 32
    blocks = system.blocks(inode) if number_at(inode, 0, 2) & _KINDS == _REGULAR and number >= _FIRST_ORDINARY else ()
    system.read += blocks
    content = partial(_content, system, blocks, size) if blocks else None
    return Member(name=name, attributes=tuple(attributes), content=content)


def _read_journal(system: _FileSystem, inode: bytes) -> Iterator[Attribute]:
    for start, _ in system.blocks(inode)[:1]:
        system.read.append((start + _JOURNAL_UUID, 16))
        yield header("ext journal s_uuid", system.span.read(start + _JOURNAL_UUID, 16).hex())


def _content(system: _FileSystem, blocks: Sequence[tuple[int, int]], size: int) -> Span:
    content = spool((system.span.read(*each) for each in blocks), system.budget)
    return content.part(0, min(size, content.size))
