"""Compiled Python modules (PEP 3147, PEP 552)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mtime
from pytest_ftc.comparison.members.formats.marshal_data import Code, Reader, Unordered
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, span_of
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_HEADER = 16
"""Magic number and flags, then mtime and size of the source, or an 8-byte hash of it (PEP 552)."""
_HASHED = 1
_LARGEST = 4 << 20
_MOST_TEXT = 16 << 20
"""Most characters of all values together: nested references can expand a small file a billionfold."""
_PLAIN = ("names", "varnames", "freevars", "cellvars", "localsplusnames", "localspluskinds", "name", "firstlineno",
          "linetable", "exceptiontable", "code")  # fmt: skip
_CALLED = {
    "code": "bytecode",
    "linetable": "line table",
    "exceptiontable": "exception table",
    "firstlineno": "first line",
}


def is_pyc(span: Span, name: str) -> bool:
    return name.endswith(".pyc") and span.read(2, 2) == b"\r\n"


def read_pyc(span: Span, budget: Budget) -> Contents:
    """Return the header and the code objects.

    Raises ValueError and other exceptions for invalid data, LimitReachedError, OutOfTimeError.
    """
    if span.size > _LARGEST:
        raise LimitReachedError(f"larger than {_LARGEST} bytes")
    data = span.read(0, span.size)
    code = Reader(data[_HEADER:], int.from_bytes(data[:2], "little")).read()
    if not isinstance(code, Code):
        raise ValueError("it contains no code")
    reading = _Reading(budget)
    fields = (*_read_header(data), *reading.read_code(code, ""))
    return Contents(
        format=FileFormat.PYC,
        noun="pyc",
        attributes=(*fields, reading.filenames()),
        members=tuple(reading.sets),
        recoded="marshal references (which constants were shared when it was written)",
    )


def _read_header(data: bytes) -> Iterator[Attribute]:
    magic, flags, first, second = struct.unpack("<HxxIII", data[:_HEADER])
    yield header("pyc header magic number", magic)
    yield header("pyc header flags", flags)
    if flags & _HASHED:
        yield header("pyc header source hash", data[8:16].hex())
    else:
        yield mtime("pyc header source mtime", first)
        yield header("pyc header source size", second)


@dataclass(slots=True)
class _Reading:
    budget: Budget
    text: int = 0
    seen: dict[str, None] = field(default_factory=dict)
    """Paths of the source files, without duplicates."""
    sets: list[Member] = field(default_factory=list)
    """Sets; before Python 3.11 their order depends on the hash seed."""

    def filenames(self) -> Attribute:
        return Attribute(Field.CONTENT, "co_filename", "\n".join(self.seen).encode(errors="surrogatepass"))

    def read_code(self, code: Code, path: str) -> Iterator[Attribute]:
        """Yield the fields of a code object and of the code objects in its constants."""
        self.budget.check_time()
        name = f"{path}.{code.fields['name']}".removeprefix(".<module>.").lstrip(".")
        self.seen[self.show(code.fields["filename"]).strip("'")] = None
        for key in _PLAIN:
            if key in code.fields:
                value = self.show(code.fields[key]).encode(errors="surrogatepass")
                yield Attribute(Field.CONTENT, f"{_CALLED.get(key, f'co_{key}')} of {name}", value)
        yield header(f"argument counts and flags of {name}", code.fields["numbers"])
        constants = code.fields["consts"]
        for index, constant in enumerate(constants if isinstance(constants, tuple) else ()):
            if isinstance(constant, Code):
                yield from self.read_code(constant, f"{path}.{code.fields['name']}")
            else:
                yield from self._read_constant(constant, f"co_consts[{index}] of {name}")

    def _read_constant(self, constant: Any, location: str) -> Iterator[Attribute]:
        if isinstance(constant, Unordered):
            items = [self.show(item) for item in constant.items]
            span = span_of("".join(f"{item}\n" for item in items).encode(errors="surrogatepass"))
            self.sets.append(Member(name=location, part=location, stored=span, separator=b"\n", item="item"))
        else:
            yield Attribute(Field.CONTENT, location, self.show(constant).encode(errors="surrogatepass"))

    def show(self, value: Any) -> str:
        """Return a value as text of bounded size.  Raises LimitReachedError, OutOfTimeError."""
        if isinstance(value, Code):
            return f"<code {value.fields['name']}>"
        if isinstance(value, Unordered):
            text = f"{{{', '.join(map(self.show, value.items))}}}"
        elif isinstance(value, tuple):
            self.budget.check_time()
            text = f"({', '.join(map(self.show, value))})"
        else:
            text = repr(value)
        self.text += len(text)
        if self.text > _MOST_TEXT:
            raise LimitReachedError("its constants are too large")
        return text
