"""HDF5 files, object by object: times, attributes, links and data sets.

Read here and not by the HDF5 library, which is made for files that one trusts.  The format: HDF5 File Format
Specification Version 3.0, cited by its sections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pytest_ftc.comparison.members.contents import Attribute, Contents, header, mtime
from pytest_ftc.comparison.members.formats.compression import decompress, zlib_decoder
from pytest_ftc.comparison.members.formats.data.hdf5_store import UNDEFINED, Message, Store, dimensions
from pytest_ftc.comparison.members.formats.data.hdf5_values import Type, read_attribute, read_type, read_value
from pytest_ftc.comparison.members.formats.fixed.reader import number_at, rest_of
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, span_of
from pytest_ftc.model.place import FileFormat

_MAGIC = b"\x89HDF\r\n\x1a\n"
_ROOTS = {0: 64, 1: 68, 2: 36, 3: 36}
"""Where the address of the root's object header is, by the version of the superblock (II.A)."""
_SHAPE, _LINKS, _TYPE, _LINK, _LAYOUT, _FILTERS, _ATTRIBUTE, _OLD_TIME, _SYMBOLS, _TIME, _ATTRIBUTES = (
    1, 2, 3, 6, 8, 11, 12, 14, 17, 18, 21
)  # fmt: skip
"""Types of messages (IV.A.2)."""
_DEFLATE, _SHUFFLE, _FLETCHER = 1, 2, 3
_LARGEST_CHUNK = 32 << 20
_MOST_CHUNKS = 10_000
_TIMES = ("access", "modification", "change", "birth")


def is_hdf5(span: Span, name: str) -> bool:
    return span.read(0, 8) == _MAGIC


def read_hdf5(span: Span, budget: Budget) -> Contents:
    """Return the objects by their paths.  Raises ValueError, IndexError, struct.error, OutOfTimeError."""
    head = span.read(0, 128)
    version = head[8]
    sizes = head[13:15] if version < 2 else head[9:11]
    if version not in _ROOTS or sizes != b"\x08\x08":
        raise ValueError("a superblock of an unknown version or with addresses that have not 8 bytes")
    reader = _Reader(Store(span, budget))
    if version >= 2:
        # The checksum of the superblock.
        reader.store.read.append((44, 4))
    reader.walk(number_at(head, _ROOTS[version], 8))
    # If all values were read, addresses and sizes are left.
    rest = replace(rest_of(span, reader.store.read), follows=not reader.missed)
    return Contents(
        format=FileFormat.DATA,
        noun="HDF5",
        attributes=tuple(reader.fields),
        values=reader.objects,
        members=(rest,),
        recoded="HDF5 checksums",
    )


@dataclass(slots=True)
class _Reader:
    store: Store
    fields: list[Attribute] = field(default_factory=list)
    objects: dict[str, Any] = field(default_factory=dict)
    missed: bool = False
    """Whether there are values that were not read."""

    def walk(self, root: int) -> None:
        """Read all objects below `root`."""
        budget, waiting, seen = self.store.budget, [("/", root)], set[int]()
        for path, address in budget.few(_drain(waiting)):
            if address in seen:
                # Another name of the same object, or a circle.
                continue
            seen.add(address)
            messages, times = self.store.messages(address)
            self._read_times(path, messages, times)
            told = self._describe(path, messages)
            if told:
                self.objects[path] = told
            base = path.rstrip("/")
            # In the order of the file, which is that of the names.
            waiting[:0] = [(f"{base}/{name}", child) for name, child in self._children(path, messages)]

    def _read_times(self, path: str, messages: Sequence[Message], times: int) -> None:
        for name, offset in zip(_TIMES, range(0, 16, 4), strict=True) if times else ():
            self.store.read.append((times + offset, 4))
            self.fields.append(
                mtime(f"HDF5 {path} {name} time", number_at(self.store.span.read(times + offset, 4), 0, 4))
            )
        for message in messages:
            if message.kind == _TIME:
                self.store.read.append((message.start + 4, 4))
                self.fields.append(mtime(f"HDF5 {path} modification time", number_at(message.data, 4, 4)))
            elif message.kind == _OLD_TIME:
                self.store.read.append((message.start, 14))
                self.fields.append(header(f"HDF5 {path} modification time", message.data[:14]))

    def _children(self, path: str, messages: Sequence[Message]) -> Iterator[tuple[str, int]]:
        for message in messages:
            if message.kind == _SYMBOLS:
                for name, address, target in self.store.symbols(*(number_at(message.data, at, 8) for at in (0, 8))):
                    if address == UNDEFINED:
                        self._add_link(path, name, target)
                    else:
                        yield name, address
            elif message.kind == _LINK:
                name, kind, value = _read_link(message.data)
                if kind == 0:
                    yield name, number_at(value, 0, 8)
                else:
                    self._add_link(path, name, value)
            elif message.kind in (_LINKS, _ATTRIBUTES):
                # In both, the address of the heap comes after an optional number (IV.A.2.c, IV.A.2.v).
                start = 2 + (message.data[1] & 1) * (8 if message.kind == _LINKS else 2)
                if number_at(message.data, start, 8) != UNDEFINED:
                    self.missed = True
                    self.store.budget.record(f"HDF5 {path}: what is in a fractal heap was compared by bytes")

    def _add_link(self, path: str, name: str, target: bytes) -> None:
        self.objects.setdefault(path, {})[f"link {name}"] = target

    def _describe(self, path: str, messages: Sequence[Message]) -> dict[str, Any]:
        """Return attributes and data of an object."""
        told: dict[str, Any] = {}
        read = (read_attribute(self.store, one.data, one.start) for one in messages if one.kind == _ATTRIBUTE)
        if attributes := dict(read):
            told["attributes"] = attributes
        found = {message.kind: message for message in messages}
        if _LAYOUT in found and _TYPE in found and _SHAPE in found:
            type_, shape = read_type(found[_TYPE].data), dimensions(found[_SHAPE].data)
            filters = _read_filters(found[_FILTERS].data) if _FILTERS in found else ()
            data = self._data(found[_LAYOUT], type_, shape, filters)
            self.missed = self.missed or data is None
            if data is not None:
                told["data"] = data
        return told

    def _data(self, layout: Message, type_: Type, shape: Sequence[int], filters: Sequence[int]) -> Any:
        """Return the data of a data set (IV.A.2.i); None for layouts that are not read here."""
        data, store = layout.data, self.store
        if data[0] not in (3, 4):
            return None
        if data[1] == 0:
            start, size = layout.start + 4, number_at(data, 2, 2)
        elif data[1] == 1:
            start, size = number_at(data, 2, 8), number_at(data, 10, 8)
        elif data[0] == 3 and data[1] == 2:
            return self._chunks(data, type_, filters)
        else:
            return None
        if start == UNDEFINED:
            # It was never written.
            return []
        store.read.append((start, size))
        return read_value(store, store.span.part(start, size), type_, shape)

    def _chunks(self, data: bytes, type_: Type, filters: Sequence[int]) -> Any:
        """Return the chunks of a data set by the index of their first element."""
        rank, tree = data[2], number_at(data, 3, 8)
        shape = [number_at(data, 11 + 4 * number, 4) for number in range(rank - 1)]
        found: dict[str, Any] = {}
        for key, address in self.store.leaves(tree, 8 + 8 * rank, 0) if tree != UNDEFINED else ():
            if len(found) >= _MOST_CHUNKS:
                self.missed = True
                self.store.budget.record(f"only the first {_MOST_CHUNKS} chunks of an HDF5 data set were examined")
                break
            size, skipped = number_at(key, 0, 4), number_at(key, 4, 4)
            first = [number_at(key, 8 + 8 * number, 8) for number in range(rank - 1)]
            self.store.read.append((address, size))
            stored = self.store.span.part(address, size)
            plain = self._unfilter(stored, [] if skipped else filters, type_.size)
            name = f"chunk {first}"
            found[name] = read_value(self.store, plain, type_, shape) if plain is not None else stored
        return found

    def _unfilter(self, stored: Span, filters: Sequence[int], size: int) -> Span | None:
        """Undo the filters of a chunk, the last one first; None if one of them is not known (IV.A.2.l)."""
        if not filters:
            return stored
        if not set(filters) <= {_DEFLATE, _SHUFFLE, _FLETCHER} or stored.size > _LARGEST_CHUNK:
            return None
        for number in reversed(filters):
            if number == _DEFLATE:
                stored = decompress(stored, zlib_decoder, self.store.budget, single=True).payload
            elif number == _FLETCHER:
                stored = stored.part(0, stored.size - 4)
            elif stored.size > _LARGEST_CHUNK:
                return None
            else:
                stored = _unshuffle(stored.read(0, stored.size), size)
        return stored


def _drain(waiting: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    while waiting:
        yield waiting.pop(0)


def _unshuffle(data: bytes, size: int) -> Span:
    """Return elements of which first all first bytes are stored, then all second ones."""
    count = len(data) // size if size else 0
    out = bytearray(data)
    for byte in range(size if count else 0):
        out[byte : count * size : size] = data[byte * count : (byte + 1) * count]
    return span_of(bytes(out))


def _read_link(data: bytes) -> tuple[str, int, bytes]:
    """Return name, kind and target of a link message (IV.A.2.g)."""
    flags, position = data[1], 2
    kind = data[position] if flags & 8 else 0
    position += (1 if flags & 8 else 0) + (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    wide = 1 << (flags & 3)
    size = number_at(data, position, wide)
    position += wide
    name = data[position : position + size].decode(errors="surrogateescape")
    return name, kind, data[position + size :]


def _read_filters(data: bytes) -> list[int]:
    """Return the numbers of the filters in a filter pipeline message (IV.A.2.l)."""
    position, found = 8 if data[0] == 1 else 2, []
    at = partial(number_at, data)
    for _ in range(data[1]):
        number = at(position, 2)
        named = data[0] == 1 or number >= 256
        length = at(position + 2, 2) if named else 0
        count = at(position + (6 if named else 4), 2)
        position += (8 if named else 6) + ((length + 7) // 8 * 8 if data[0] == 1 else length) + 4 * count
        # The first version fills up an odd number of values.
        position += 4 if data[0] == 1 and count % 2 else 0
        found.append(number)
    return found
