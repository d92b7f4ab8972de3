"""Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md)."""

from __future__ import annotations

import struct
from typing import Any

from pytest_ftc.comparison.members.formats.data.protobuf import read_varint

_TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 6, 7, 8, 9, 10, 12
"""Types of fields; those from a byte to 64 bits are numbered through."""
_DEEPEST = 20
_MOST = 200_000
"""Structures in one; a large table has one for each column of each group of rows."""


class ThriftReader:
    """Reads structures as dictionaries of their fields by number, texts as bytes.  Raises ValueError, IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0
        self.heads = bytearray()
        """The bytes with the numbers and types of fields, and of elements of lists."""
        self._count = 0

    def read_struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the next structure."""
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST:
            raise ValueError("too many structures, or nested too deeply")
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            self.heads.append(head)
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            # The value of a field that is true or false is its type.
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind == _STRUCT:
            return self.read_struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _BINARY:
            return self._take(self._number())
        if kind == _DOUBLE:
            return struct.unpack("<d", self._take(8))[0]
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if _BYTE < kind <= _I64:
            return self._signed()
        raise ValueError(f"a field of the unknown type {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        self.heads.append(head & 15)
        size = head >> 4 if head >> 4 < 15 else self._number()
        if size > len(self._data) - self.position or depth > _DEEPEST:
            # Each element takes at least one byte.
            raise ValueError("it ends too early")
        return [self._value(head & 15, depth + 1) for _ in range(size)]

    def _byte(self) -> int:
        self.position += 1
        return self._data[self.position - 1]

    def _take(self, size: int) -> bytes:
        data = self._data[self.position : self.position + size]
        if len(data) != size:
            raise ValueError("it ends too early")
        self.position += size
        return data

    def _number(self) -> int:
        value, self.position = read_varint(self._data, self.position)
        return value

    def _signed(self) -> int:
        value = self._number()
        return (value >> 1) ^ -(value & 1)
