"""FAT file systems, file by file (Microsoft FAT specification; Wikipedia, "Design of the FAT file system")."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mtime
from pytest_ftc.comparison.members.formats.fixed.layouts import FAT, FAT32
from pytest_ftc.comparison.members.formats.fixed.reader import find_layout, number_at, read_fields, rest_of
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.model.place import FileFormat

_LAYOUTS = (FAT32, FAT)
_ENTRY = 32
_LONG_NAME, _LABEL, _FOLDER = 0x0F, 0x08, 0x10
_DELETED = 0xE5
_END = {12: 0xFF0, 16: 0xFFF0, 32: 0x0FFFFFF0}
"""The first numbers that are no clusters, by the width of the table's entries."""
_MOST_CLUSTERS = 1 << 20


@dataclass(slots=True)
class _Volume:
    span: Span
    budget: Budget
    table: int
    """Where the first allocation table begins."""
    width: int
    """Bits of its entries: 12, 16 or 32."""
    data: int
    """Where the cluster with number 2 begins."""
    cluster: int
    """Bytes of a cluster."""
    read: list[tuple[int, int]] = field(default_factory=list)
    """What the members hold, as offsets and sizes."""

    def chain(self, number: int) -> Sequence[tuple[int, int]]:
        """Return the offsets and sizes of the clusters of a file that starts with this one.  Raises ValueError."""
        found: list[tuple[int, int]] = []
        while 2 <= number < _END[self.width]:
            if len(found) >= _MOST_CLUSTERS:
                raise ValueError("a chain of clusters without an end")
            self.budget.check_time()
            found.append((self.data + (number - 2) * self.cluster, self.cluster))
            number = self._next(number)
        return found

    def _next(self, number: int) -> int:
        if self.width == 12:
            pair = int.from_bytes(self.span.read(self.table + number * 3 // 2, 2), "little")
            return pair >> 4 if number % 2 else pair & 0xFFF
        size = self.width // 8
        return int.from_bytes(self.span.read(self.table + number * size, size), "little") & 0x0FFFFFFF


def is_fat(span: Span, name: str) -> bool:
    return span.read(510, 2) == b"\x55\xaa" and find_layout(span, _LAYOUTS) is not None


def read_fat(span: Span, budget: Budget) -> Contents:
    """Return the fields of the boot sector and the files.  Raises ValueError, OutOfTimeError."""
    layout = find_layout(span, _LAYOUTS) or FAT
    boot = span.read(0, 512)
    sector, reserved = number_at(boot, 11, 2), number_at(boot, 14, 2)
    tables = boot[16] * (number_at(boot, 22, 2) or number_at(boot, 36, 4)) * sector
    table, slots = reserved * sector, number_at(boot, 17, 2) * _ENTRY
    sectors = number_at(boot, 19, 2) or number_at(boot, 32, 4)
    cluster = boot[13] * sector
    if not cluster:
        raise ValueError("clusters of no size")
    start = table + tables
    count = (sectors * sector - start - slots) // cluster
    width = 12 if count < 4085 else 16 if count < 65525 else 32
    volume = _Volume(span, budget, table, width, start + slots, cluster)
    # FAT32 has a copy of the boot sector.
    for copy in (0, number_at(boot, 50, 2) * sector if layout is FAT32 else 0):
        volume.read += [(copy + each.offset, each.size) for each in layout.fields]
    root = volume.chain(number_at(boot, 44, 4)) if layout is FAT32 else [(start, slots)]
    members = tuple(budget.few(_walk(volume, root, "", set())))
    fields = read_fields(span, layout.name, layout.fields, layout.order)
    rest = rest_of(span, volume.read)
    return Contents(format=FileFormat.IMAGE, noun="FAT entry", attributes=tuple(fields), members=(*members, rest))


def _walk(volume: _Volume, places: Sequence[tuple[int, int]], path: str, seen: set[int]) -> Iterator[Member]:
    for start, size in places:
        if start in seen:
            return
        seen.add(start)
        for position in range(start, start + size, _ENTRY):
            volume.budget.check_time()
            entry = volume.span.read(position, _ENTRY)
            if len(entry) < _ENTRY or not entry[0]:
                break
            if entry[0] != _DELETED and entry[11] & 0x3F != _LONG_NAME and entry[:1] != b".":
                yield from _read_entry(volume, entry, position, path, seen)


def _read_entry(volume: _Volume, entry: bytes, position: int, path: str, seen: set[int]) -> Iterator[Member]:
    name, extension = (part.decode("latin-1").rstrip() for part in (entry[:8], entry[8:11]))
    full = f"{path}{name}.{extension}" if extension else f"{path}{name}"
    # Times and days of creation, the last access and the last change.
    volume.read += [(position + 13, 7), (position + 22, 4)]
    attributes = tuple(_read_times(entry))
    if entry[11] & _LABEL:
        yield Member(name=f"{full} (label)", attributes=attributes)
        return
    high = number_at(entry, 20, 2) if volume.width == 32 else 0
    clusters = volume.chain(number_at(entry, 26, 2) | high << 16)
    if entry[11] & _FOLDER:
        yield Member(name=full, attributes=attributes)
        yield from _walk(volume, clusters, f"{full}/", seen)
    else:
        size = number_at(entry, 28, 4)
        volume.read += clusters
        yield Member(name=full, attributes=attributes, content=partial(_content, volume, clusters, size))


def _content(volume: _Volume, clusters: Sequence[tuple[int, int]], size: int) -> Span:
    return spool((volume.span.read(*each) for each in clusters), volume.budget).part(0, size)


def _read_times(entry: bytes) -> Iterator[Attribute]:
    yield _read_time("mtime", number_at(entry, 24, 2), number_at(entry, 22, 2))
    yield _read_time("creation time", number_at(entry, 16, 2), number_at(entry, 14, 2))
    yield header("FAT entry creation time, hundredths", entry[13])
    yield _read_time("day of the last access", number_at(entry, 18, 2), 0)


def _read_time(name: str, day: int, time: int) -> Attribute:
    """Return a time in steps of two seconds, as MS-DOS stores it, in the time zone of its build."""
    parts = (1980 + (day >> 9), day >> 5 & 15, day & 31, time >> 11, time >> 5 & 63, (time & 31) * 2)
    try:
        return mtime(f"FAT entry {name}", calendar.timegm(parts) if day else 0)
    except ValueError:
        return header(f"FAT entry {name}", f"{day:#06x} {time:#06x}")
