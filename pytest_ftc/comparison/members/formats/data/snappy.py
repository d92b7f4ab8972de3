"""Snappy's block format (https://github.com/google/snappy/blob/main/format_description.txt)."""

from __future__ import annotations

from pytest_ftc.comparison.members.formats.data.protobuf import read_varint

_LITERAL = 0
_INLINE = 60
"""Lengths of literals below are in the tag itself, others in one to four bytes after it."""


def decode_snappy(data: bytes, most: int) -> bytes:
    """Return the decompressed bytes.  Raises ValueError if they are invalid or more than `most`, IndexError."""
    size, position = read_varint(data, 0)
    if size > most:
        raise ValueError("more bytes than there may be")
    out = bytearray()
    while position < len(data) and len(out) < size:
        tag = data[position]
        position += 1
        if tag & 3 == _LITERAL:
            length, wide = (tag >> 2) + 1, max(0, (tag >> 2) - _INLINE + 1)
            if wide:
                length = int.from_bytes(data[position : position + wide], "little") + 1
            position += wide
            out += data[position : position + length]
            position += length
            continue
        length, offset, position = _read_copy(data, tag, position)
        if not 0 < offset <= len(out):
            raise ValueError("a copy from before the start")
        # A copy may overlap itself, and then repeats what it copies.
        chunk = bytes(out[-offset:][:length])
        out += (chunk * (length // len(chunk) + 1))[:length]
    if len(out) != size or position != len(data):
        raise ValueError("another size than it says")
    return bytes(out)


def _read_copy(data: bytes, tag: int, position: int) -> tuple[int, int, int]:
    """Return length and offset of a copy, and where the next element begins."""
    if tag & 3 == 1:
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[position], position + 1
    wide = 2 if tag & 3 == 2 else 4
    return (tag >> 2) + 1, int.from_bytes(data[position : position + wide], "little"), position + wide
