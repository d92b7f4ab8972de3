"""Python's marshal format, versions 3 to 5, read as plain data (CPython's Python/marshal.c defines it).

The standard `marshal` module is not safe with hostile input, and reads only code of its own interpreter.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_REFERENCE = 0x80
"""FLAG_REF in a type byte: the value gets the next index, to which a type ``r`` refers."""
_DEEPEST = 100
_SINGLETONS = {"N": None, "F": False, "T": True, "S": "StopIteration", ".": ...}
_LONG_SIZES, _SHORT_SIZES = "stuaA([<>", "zZ)"
_OLD = ("code", "consts", "names", "varnames", "freevars", "cellvars", "filename", "name", "firstlineno", "linetable")
_NEW = ("code", "consts", "names", "localsplusnames", "localspluskinds", "filename", "name", "qualname",
        "firstlineno", "linetable", "exceptiontable")  # fmt: skip
_NULL = object()
_UNFINISHED = object()


@dataclass(frozen=True, slots=True)
class Code:
    """A code object: its attributes, by name without ``co_``."""

    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unordered:
    """A set in its stored order, which depends on the hash seed."""

    items: tuple[Any, ...]


class Reader:
    """Reads one value.  Raises ValueError, IndexError, KeyError or struct.error for invalid data."""

    def __init__(self, data: bytes, magic: int) -> None:
        self._data = data
        self._position = 0
        self._references: list[Any] = []
        # 3413: Python 3.8; 3450: 3.11 alpha; 3495: 3.11 (CPython's Include/internal/pycore_magic_number.h).
        if 3413 <= magic < 3450:
            self._numbers = 6
            self._names: tuple[str, ...] = _OLD
        elif 3495 <= magic < 4000:
            self._numbers = 5
            self._names = _NEW
        else:
            raise ValueError(f"bytecode of an unknown Python, magic number {magic}")

    def read(self, depth: int = 0) -> Any:
        """Return the next value."""
        if depth > _DEEPEST:
            raise ValueError("values nested too deeply")
        byte = self._take(1)[0]
        kind = chr(byte & ~_REFERENCE)
        if kind == "r":
            return self._refer()
        index = len(self._references)
        if byte & _REFERENCE:
            self._references.append(_UNFINISHED)
        value = self._read_kind(kind, depth)
        if byte & _REFERENCE:
            self._references[index] = value
        return value

    def _take(self, size: int) -> bytes:
        data = self._data[self._position : self._position + size]
        if len(data) != size or size < 0:
            raise ValueError("it ends too early")
        self._position += size
        return data

    def _number(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)

    def _refer(self) -> Any:
        value = self._references[self._number()]
        if value is _UNFINISHED:
            raise ValueError("a value that holds itself")
        return value

    def _read_kind(self, kind: str, depth: int) -> Any:
        if kind in _SINGLETONS:
            return _SINGLETONS[kind]
        if kind == "0":
            return _NULL
        if kind == "c":
            return self._read_code(depth)
        if kind == "{":
            return self._read_pairs(depth)
        if kind == ":":
            return ("slice", *(self.read(depth + 1) for _ in range(3)))
        if kind in _LONG_SIZES or kind in _SHORT_SIZES:
            size = self._number() if kind in _LONG_SIZES else self._take(1)[0]
            return self._read_sized(kind, size, depth)
        return self._read_scalar(kind)

    def _read_sized(self, kind: str, size: int, depth: int) -> Any:
        if kind == "s":
            return self._take(size)
        if kind in "tuaAzZ":
            return self._take(size).decode("utf-8" if kind in "tu" else "latin-1", "surrogatepass")
        if size > len(self._data) - self._position:
            # Each item takes at least one byte.
            raise ValueError("it ends too early")
        items = tuple(self.read(depth + 1) for _ in range(size))
        return Unordered(items) if kind in "<>" else items

    def _read_scalar(self, kind: str) -> Any:
        if kind == "i":
            return self._number()
        if kind == "I":
            return int.from_bytes(self._take(8), "little", signed=True)
        if kind == "g":
            return struct.unpack("<d", self._take(8))[0]
        if kind == "y":
            return complex(*struct.unpack("<dd", self._take(16)))
        if kind == "l":
            # Converting a huge number to decimal takes quadratic time; its bytes are just as good.
            size = self._number()
            return ("int", size, self._take(2 * abs(size)).hex())
        raise ValueError(f"unknown type {kind!r}")

    def _read_pairs(self, depth: int) -> Any:
        pairs = []
        while (key := self.read(depth + 1)) is not _NULL:
            pairs.append((key, self.read(depth + 1)))
        return tuple(pairs)

    def _read_code(self, depth: int) -> Code:
        fields: dict[str, Any] = {"numbers": tuple(self._number() for _ in range(self._numbers))}
        for name in self._names:
            fields[name] = self._number() if name == "firstlineno" else self.read(depth + 1)
        return Code(fields)
