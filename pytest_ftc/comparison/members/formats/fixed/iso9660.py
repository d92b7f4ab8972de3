"""ISO 9660 images, file by file (ECMA-119, 9.1), with what Rock Ridge adds (IEEE P1282)."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mode, mtime, owner
from pytest_ftc.comparison.members.formats.fixed.layouts import ISO_9660
from pytest_ftc.comparison.members.formats.fixed.reader import find_layout, number_at, read_fields, rest_of
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_SECTOR = 2048
_FIRST = 16
"""The sector of the first volume descriptor."""
_ROOT = 156
"""Where a volume descriptor has the record of its root folder."""
_PRIMARY, _SUPPLEMENTARY, _LAST = 1, 2, 255
_FOLDER = 2
_MOST_DESCRIPTORS = 16
_TIMES = ("creation", "modify", "access", "attributes", "backup", "expiration", "effective")
"""The times of Rock Ridge's entry TF, in the order of the bits of its flags."""
_LONG_TIMES = 0x80


@dataclass(slots=True)
class _Image:
    span: Span
    budget: Budget
    read: list[tuple[int, int]] = field(default_factory=list)
    """What the members hold, as offsets and sizes."""
    seen: set[int] = field(default_factory=set)


def is_iso9660(span: Span, name: str) -> bool:
    return find_layout(span, [ISO_9660]) is not None


def read_iso9660(span: Span, budget: Budget) -> Contents:
    """Return the fields of the volume descriptors and the files.  Raises ValueError, OutOfTimeError."""
    image = _Image(span, budget)
    members: list[Member] = []
    fields: list[Attribute] = []
    for number in range(_FIRST, _FIRST + _MOST_DESCRIPTORS):
        descriptor = span.read(number * _SECTOR, _SECTOR)
        if descriptor[1:6] != ISO_9660.magic[1][1:] or descriptor[0] == _LAST:
            break
        if descriptor[0] in (_PRIMARY, _SUPPLEMENTARY):
            fields += _read_descriptor(image, number, descriptor[0])
            image.seen.clear()
            files = _walk(image, descriptor[_ROOT : _ROOT + 34], "")
            # A supplementary descriptor lists the same files under other names.
            members += [file for file in budget.few(files) if descriptor[0] == _PRIMARY]
    rest = rest_of(span, image.read)
    return Contents(format=FileFormat.IMAGE, noun="ISO 9660 file", attributes=tuple(fields), members=(*members, rest))


def _read_descriptor(image: _Image, number: int, kind: int) -> Sequence[Attribute]:
    start = (number - _FIRST) * _SECTOR
    image.read.append((number * _SECTOR + _ROOT + 18, 7))
    image.read += [(start + field.offset, field.size) for field in ISO_9660.fields]
    # That of Joliet is supplementary, and has the same fields (ECMA-119, 8.5).
    name = ISO_9660.name if kind == _PRIMARY else ISO_9660.name.replace("volume", "supplementary volume")
    return read_fields(image.span.part(start, image.span.size - start), name, ISO_9660.fields, ISO_9660.order)


def _walk(image: _Image, folder: bytes, path: str) -> Iterator[Member]:
    start, size = number_at(folder, 2, 4) * _SECTOR, number_at(folder, 10, 4)
    if start in image.seen:
        return
    image.seen.add(start)
    position = start
    while position < start + size:
        image.budget.check_time()
        record = image.span.read(position, image.span.read(position, 1)[0] if position < image.span.size else 0)
        if len(record) < 34:
            # Records do not cross sectors.
            position = (position // _SECTOR + 1) * _SECTOR
            continue
        yield from _read_record(image, record, position, path)
        position += len(record)


def _read_record(image: _Image, record: bytes, position: int, path: str) -> Iterator[Member]:
    name = record[33 : 33 + record[32]]
    image.read.append((position + 18, 7))
    extra = list(_system_use(record, 33 + record[32] + (record[32] + 1) % 2))
    image.read += [(position + offset, len(data)) for kind, offset, data in extra if kind in (b"PX", b"TF")]
    if name in (b"\0", b"\1"):
        return
    real = b"".join(data[5:] for kind, _, data in extra if kind == b"NM") or name
    full = f"{path}{real.decode(errors='surrogateescape')}"
    start, size = number_at(record, 2, 4) * _SECTOR, number_at(record, 10, 4)
    attributes = (*_read_date("record date", record[18:25]), *_read_rock_ridge(extra))
    if record[25] & _FOLDER:
        yield Member(name=full, attributes=attributes)
        yield from _walk(image, record, f"{full}/")
    else:
        image.read.append((start, size))
        yield Member(name=full, attributes=attributes, stored=image.span.part(start, size))


def _system_use(record: bytes, start: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield the kind, the offset and the bytes of each entry of a record's System Use field (IEEE P1281)."""
    while start + 4 <= len(record) and record[start + 2] >= 4:
        yield record[start : start + 2], start, record[start : start + record[start + 2]]
        start += record[start + 2]


def _read_rock_ridge(extra: list[tuple[bytes, int, bytes]]) -> Iterator[Attribute]:
    for kind, _, data in extra:
        if kind == b"PX" and len(data) >= 36:
            yield mode("ISO 9660 file mode", number_at(data, 4, 4))
            yield owner("ISO 9660 file uid", number_at(data, 20, 4))
            yield owner("ISO 9660 file gid", number_at(data, 28, 4))
            yield header("ISO 9660 file serial number", number_at(data, 36, 4))
        elif kind == b"TF" and len(data) > 5 and not data[4] & _LONG_TIMES:
            names = [name for bit, name in enumerate(_TIMES) if data[4] & 1 << bit]
            for number, name in enumerate(names):
                yield from _read_date(f"{name} time", data[5 + 7 * number : 12 + 7 * number])


def _read_date(name: str, data: bytes) -> Iterator[Attribute]:
    """Yield a time of seven bytes: years since 1900, month, day, hours, minutes, seconds, quarters from UTC."""
    zone = int.from_bytes(data[6:7], "little", signed=True)
    try:
        seconds = calendar.timegm((1900 + data[0], *data[1:6])) - zone * 900
    except (ValueError, IndexError):
        yield header(f"ISO 9660 file {name}", data)
    else:
        yield mtime(f"ISO 9660 file {name}", seconds)
