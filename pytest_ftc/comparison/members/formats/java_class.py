"""Java class files (Java Virtual Machine Specification, chapter 4)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ftc.comparison.members.contents import Contents, Member, header
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, span_of
from pytest_ftc.model.place import FileFormat

_LARGEST = 16 << 20
_UTF8, _LONG, _DOUBLE = 1, 5, 6
# Sizes of constants by tag (JVMS table 4.4-A and sections 4.4.1 to 4.4.12).
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
_FIRST_VERSION = 45
"""The lowest major version.  A fat Mach-O file has the same magic number, and its number of architectures is lower."""


def is_class(span: Span, name: str) -> bool:
    head = span.read(0, 8)
    return head[:4] == b"\xca\xfe\xba\xbe" and int.from_bytes(head[4:8], "big") % (1 << 16) >= _FIRST_VERSION


def read_class(span: Span, budget: Budget) -> Contents:
    """Return the version, the strings and other constants of the constant pool, and the rest.  Raises ValueError."""
    if span.size > _LARGEST:
        raise LimitReachedError(f"larger than {_LARGEST} bytes")
    data = span.read(0, span.size)
    strings, others, end = _read_pool(data, budget)
    version = f"{int.from_bytes(data[6:8], 'big')}.{int.from_bytes(data[4:6], 'big')}"
    return Contents(
        format=FileFormat.CLASS,
        noun="class file part",
        attributes=(header("class file version", version),),
        members=(
            # Modified UTF-8 has no zero bytes (JVMS 4.4.7), so they can separate the strings.
            Member(
                name="strings",
                part="class constant pool",
                content=lambda: span_of(strings),
                separator=b"\0",
                item="string",
            ),
            Member(name="constants", part="class constants", content=lambda: span_of(others)),
            Member(name="rest", part="class fields, methods and attributes", stored=span.part(end, span.size - end)),
        ),
    )


def _read_pool(data: bytes, budget: Budget) -> tuple[bytes, bytes, int]:
    """Return the strings, the other constants, and the end offset of the pool."""
    strings, others, position = [], [], 10
    for tag, start, end in _walk_pool(data):
        budget.check_time()
        if tag == _UTF8:
            strings.append(data[start:end] + b"\0")
        else:
            others.append(data[start - 1 : end])
        position = end
    return b"".join(strings), b"".join(others), position


def _walk_pool(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield tag, start and end of each constant.

    Indexes start at 1 (JVMS 4.1), and a long or double takes two of them (JVMS 4.4.5).
    """
    left, position = int.from_bytes(data[8:10], "big") - 1, 10
    while left > 0:
        tag = data[position]
        start = position + 1 + (2 if tag == _UTF8 else 0)
        size = int.from_bytes(data[position + 1 : start], "big") if tag == _UTF8 else _SIZES.get(tag)
        if size is None or start + size > len(data):
            raise ValueError(f"no constant at {position:#x}")
        yield tag, start, start + size
        position = start + size
        left -= 2 if tag in (_LONG, _DOUBLE) else 1
