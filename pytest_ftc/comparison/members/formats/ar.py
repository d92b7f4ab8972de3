"""ar archives: static libraries and Debian packages (ar(5), GNU and BSD variants)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, mode, mtime, owner
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, span_of
from pytest_ftc.model.place import FileFormat

_MAGIC, _THIN = b"!<arch>\n", b"!<thin>\n"
_HEADER = 60
_END = b"`\n"
_SYMBOLS = {"/": 4, "/SYM64/": 8}
"""GNU symbol tables, and the width of the big-endian numbers in each: a count, that many offsets, then the names."""
_LARGEST_TABLE = 16 << 20


def is_ar(span: Span, name: str) -> bool:
    return span.read(0, 8) in (_MAGIC, _THIN)


def read_ar(span: Span, budget: Budget) -> Contents:
    """Return the members as they are stored.  Raises ValueError, OutOfTimeError."""
    return Contents(format=FileFormat.AR, noun="ar member", members=tuple(budget.few(_walk(span, budget))))


def _walk(span: Span, budget: Budget) -> Iterator[Member]:
    # A thin archive has only headers; its members are separate files (ar(1), "--thin").
    thin = span.read(0, 8) == _THIN
    position, long_names = len(_MAGIC), b""
    while position < span.size:
        budget.check_time()
        fields = span.read(position, _HEADER)
        position += _HEADER
        if len(fields) < _HEADER or fields[58:60] != _END:
            raise ValueError(f"no member header at {position - _HEADER:#x}")
        name, size = fields[:16].decode(errors="surrogateescape").rstrip(" "), _number(fields[48:58])
        table = name in _SYMBOLS or name == "//"
        data = span.part(position, 0 if thin and not table else size)
        if name == "//":
            long_names = data.read(0, min(size, _LARGEST_TABLE))
        elif name in _SYMBOLS:
            symbols = partial(_read_symbols, data, _SYMBOLS[name])
            attributes = tuple(_read_fields(fields, "ar symbol table"))
            yield Member(
                name=name,
                part="ar symbol table",
                attributes=attributes,
                content=symbols,
                separator=b"\0",
                item="symbol",
            )
        else:
            name, data = _full_name(name, data, long_names)
            yield Member(name=name, attributes=tuple(_read_fields(fields, "ar member")), stored=data)
        # Every header starts at an even offset (ar(5)).
        position += (data.start + data.size - span.start - position + 1) // 2 * 2


def _number(text: bytes) -> int:
    return int(text.strip() or b"0")


def _read_fields(fields: bytes, prefix: str) -> Iterator[Attribute]:
    yield mtime(f"{prefix} mtime", _number(fields[16:28]))
    yield owner(f"{prefix} uid", _number(fields[28:34]))
    yield owner(f"{prefix} gid", _number(fields[34:40]))
    yield mode(f"{prefix} mode", int(fields[40:48].strip() or b"0", 8))


def _full_name(name: str, data: Span, long_names: bytes) -> tuple[str, Span]:
    """GNU keeps long names in the member ``//``, and ends short ones with "/"; BSD puts long ones before the data."""
    if name.startswith("#1/") and name[3:].isdigit():
        size = int(name[3:])
        long = data.part(0, size).read(0, min(size, _LARGEST_TABLE))
        return long.rstrip(b"\0").decode(errors="surrogateescape"), data.part(size, data.size - size)
    if name.startswith("/") and name[1:].isdigit():
        found = long_names[int(name[1:]) :].partition(b"\n")[0]
        return found.decode(errors="surrogateescape").removesuffix("/"), data
    return name.removesuffix("/"), data


def _read_symbols(data: Span, width: int) -> Span:
    """Return only the names: the offsets follow from the sizes of the members."""
    count = int.from_bytes(data.read(0, width), "big")
    return span_of(data.part(0, data.size).read(width * (count + 1), _LARGEST_TABLE))
