"""The storage of an HDF5 file: object headers, groups, chunks and heaps, by addresses.

The format: HDF5 File Format Specification Version 3.0 (https://support.hdfgroup.org/documentation/hdf5/latest/), cited
by its sections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pytest_ftc.comparison.members.formats.fixed.reader import number_at
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span

UNDEFINED = 0xFFFFFFFFFFFFFFFF
_CONTINUATION = 0x10
_SHARED = 2
"""The flag of a message whose content is elsewhere (IV.A.1.a)."""
_SOFT_LINK = 2
_LONGEST_NAME = 4096
_MOST_MESSAGES = 100_000
_MOST_ENTRIES = 1 << 16
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Message:
    """A message of an object header."""

    kind: int
    data: bytes
    start: int
    """Where the data is in the file."""


@dataclass(slots=True)
class Store:
    """A file, and which of its bytes were read as values."""

    span: Span
    budget: Budget
    read: list[tuple[int, int]] = field(default_factory=list)
    """What is compared by itself, and checksums, as offsets and sizes."""
    heaps: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    """Offset and size of the objects in global heap collections."""
    nodes: set[int] = field(default_factory=set)
    """Nodes of trees that were visited."""
    count: int = 0
    """Messages that were read in all object headers, which may overlap in a hostile file."""

    def messages(self, address: int) -> tuple[list[Message], int]:
        """Return the messages of an object header (IV.A.1), and where its times are; 0 for nowhere."""
        head = self.span.read(address, 64)
        if head[:4] == b"OHDR":
            return self._new_messages(address, head)
        if head[:1] != b"\1":
            raise ValueError(f"no object header at {address:#x}")
        return list(self._collect([(address + 16, number_at(head, 8, 4))], 8)), 0

    def _new_messages(self, address: int, head: bytes) -> tuple[list[Message], int]:
        flags, position = head[5], 6
        times = address + position if flags & 0x20 else 0
        position += (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        wide = 1 << (flags & 3)
        size, start = number_at(head, position, wide), address + position + wide
        self.read.append((start + size, 4))
        return list(self._collect([(start, size)], 6 if flags & 4 else 4)), times

    def _collect(self, blocks: list[tuple[int, int]], head: int) -> Iterator[Message]:
        """Yield the messages in blocks; each has `head` bytes before it, 8 in the old format."""
        seen = set[int]()
        while blocks:
            start, size = blocks.pop(0)
            block = self.span.part(start, size).read(0, size)
            if start in seen:
                raise ValueError("an object header without an end")
            seen.add(start)
            position = 0
            while position + head <= len(block):
                kind, length, flags = _message_head(block, position, head)
                data = block[position + head : position + head + length]
                self.count += 1
                if self.count > _MOST_MESSAGES:
                    raise LimitReachedError(f"more than {_MOST_MESSAGES} messages")
                if kind == _CONTINUATION:
                    blocks.append(self._continue(data, head))
                elif not flags & _SHARED:
                    yield Message(kind, data, start + position + head)
                position += head + length

    def _continue(self, data: bytes, head: int) -> tuple[int, int]:
        start, size = number_at(data, 0, 8), number_at(data, 8, 8)
        if head == 8:
            return start, size
        # The new format has a signature before, and a checksum after the messages.
        self.read.append((start + size - 4, 4))
        return start + 4, size - 8

    def symbols(self, tree: int, heap: int) -> Iterator[tuple[str, int, bytes]]:
        """Yield names and addresses of the objects in an old group (III.A.1, III.B, III.D), or the targets of links."""
        names = number_at(self.span.read(heap, 32), 24, 8)
        for node in self.leaves(tree, 8, 0):
            head = self.span.read(node[1], 8)
            for number in range(number_at(head, 6, 2) if head[:4] == b"SNOD" else 0):
                entry = self.span.read(node[1] + 8 + 40 * number, 40)
                name = self._string(names + number_at(entry, 0, 8)).decode(errors="surrogateescape")
                # The offset of the target is in what is otherwise a cache (III.C).
                link = number_at(entry, 16, 4) == _SOFT_LINK
                start = names + number_at(entry, 24, 4)
                target = self._string(start) if link else b""
                self.read.append((start, len(target)))
                yield name, UNDEFINED if link else number_at(entry, 8, 8), target

    def _string(self, start: int) -> bytes:
        return self.span.read(start, _LONGEST_NAME).partition(b"\0")[0]

    def leaves(self, address: int, key: int, depth: int) -> Iterator[tuple[bytes, int]]:
        """Yield the keys, of `key` bytes, and children of the lowest nodes of a B-tree (III.A.1)."""
        if depth > _DEEPEST or address in self.nodes:
            raise ValueError("a tree without an end")
        self.nodes.add(address)
        self.budget.check_time()
        head = self.span.read(address, 24)
        if head[:4] != b"TREE":
            raise ValueError(f"no tree at {address:#x}")
        for number in range(number_at(head, 6, 2)):
            entry = self.span.read(address + 24 + number * (key + 8), key + 8)
            child = number_at(entry, key, 8)
            if head[5]:
                yield from self.leaves(child, key, depth + 1)
            else:
                yield entry[:key], child

    def text(self, reference: bytes) -> str | None:
        """Return a text in a global heap (III.E) by its length, collection and index; None if there is none."""
        size, address, index = number_at(reference, 0, 4), number_at(reference, 4, 8), number_at(reference, 12, 4)
        if address in (0, UNDEFINED):
            return None
        if address not in self.heaps:
            self.heaps[address] = dict(self._objects(address))
        if index not in self.heaps[address]:
            raise ValueError("an object that is not in its heap")
        start, length = self.heaps[address][index]
        self.read.append((start, length))
        return self.span.read(start, min(size, length)).decode(errors="surrogateescape")

    def _objects(self, address: int) -> Iterator[tuple[int, tuple[int, int]]]:
        head = self.span.read(address, 16)
        end, position = address + number_at(head, 8, 8), address + 16
        for _ in range(_MOST_ENTRIES if head[:4] == b"GCOL" else 0):
            entry = self.span.read(position, 16)
            index, size = number_at(entry, 0, 2), number_at(entry, 8, 8)
            # Sizes, and that of the free space at the end, follow from the texts.
            self.read.append((position, len(entry)))
            if not index or position + 16 > end:
                return
            yield index, (position + 16, size)
            # Objects begin at multiples of eight.
            position += 16 + (size + 7) // 8 * 8


def _message_head(block: bytes, position: int, head: int) -> tuple[int, int, int]:
    """Return type, size and flags."""
    if head == 8:
        return number_at(block, position, 2), number_at(block, position + 2, 2), block[position + 4]
    return block[position], number_at(block, position + 1, 2), block[position + 3]


def dimensions(data: bytes) -> Sequence[int]:
    """Return the sizes in a dataspace message (IV.A.2.b); none for a single value."""
    start = 8 if data[0] == 1 else 4
    return [number_at(data, start + 8 * number, 8) for number in range(data[1])]
