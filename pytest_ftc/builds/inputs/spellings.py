"""The spellings of a secret: its encodings and escaped forms."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

SHORTEST_LINE = 12
"""Shortest line, in bytes, of a secret with several lines that is also searched for separately."""
_WIDTHS = (64, 76)
"""Line lengths of base64: PEM (RFC 7468) and MIME (RFC 2045)."""
_WHOLE = 1 << 16
"""Longer than any secret."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One spelling of a secret."""

    secret: str
    """The secret as declared: ``env:TOKEN``."""
    encoding: str
    data: bytes
    part: int = _WHOLE
    """The number of bytes that encode six bytes of the secret; parts of this size are masked."""

    @property
    def plain(self) -> bool:
        """Whether it consists of the secret's unencoded characters."""
        return self.encoding in ("verbatim", "in a different case")


def spell_secret(name: str, value: bytes) -> list[Spelling]:
    """Return all spellings of `value`, the secret `name`; the lines of a longer value also get their own."""
    return [Spelling(name, *spelling) for part in _parts(value) for spelling in _spell(part)]


def lines_of(value: bytes) -> list[bytes]:
    """Return the lines of a value with several lines."""
    lines = [line.strip() for line in value.strip().splitlines()]
    return lines if len(lines) > 1 else []


def _parts(value: bytes) -> list[bytes]:
    """Return the value, and each of its lines that is long enough: programs may write a key line by line."""
    return [value, *(line for line in lines_of(value) if len(line) >= SHORTEST_LINE)]


def _spell(value: bytes) -> Iterator[tuple[str, bytes, int]]:
    yield "verbatim", value, 6
    for other in {value.upper(), value.lower()} - {value}:
        yield "in a different case", other, 6
    yield "hexadecimal", value.hex().encode(), 12
    yield "hexadecimal", value.hex().upper().encode(), 12
    for encoded in dict.fromkeys(_escape(value)):
        if encoded != value:
            yield "URL-escaped", encoded, _WHOLE
    yield from (("base64", text, 8) for text in _encode(value))
    yield from (("base32", text, 10) for text in _encode_in_32(value))
    yield from _spell_wide(value)
    yield "octal", b"".join(b"%03o" % byte for byte in value), 18
    yield "decimal", b",".join(b"%d" % byte for byte in value), _WHOLE
    # 16-bit words on a little-endian machine: od -x, hexdump.
    yield from (("hexadecimal words", words, 12) for words in (_swap(value), _swap(value[1:])) if len(words) >= 8)


def _spell_wide(value: bytes) -> Iterator[tuple[str, bytes, int]]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    for encoding, part in (("utf-16-le", 12), ("utf-16-be", 12), ("utf-32-le", 24), ("utf-32-be", 24)):
        name, wide = encoding.upper()[:6], text.encode(encoding)
        yield name, wide, part
        yield f"{name} in hexadecimal", wide.hex().encode(), 2 * part
        yield from ((f"{name} in base64", encoded, part * 4 // 3) for encoded in _encode(wide))


def _escape(value: bytes) -> Iterator[bytes]:
    """Yield the percent-encodings of `value`: tools differ in the characters they keep and the case of digits."""
    plain = [quote_from_bytes(value, safe=safe) for safe in ("", "/", "!*'()", "/!*'()", "/:@!$&'()*+,;=")]
    for text in (*plain, *(text.replace("%20", "+") for text in plain)):
        yield text.encode()
        yield re.sub(b"%[0-9A-F]{2}", lambda found: found[0].lower(), text.encode())


def _encode(value: bytes) -> Iterator[bytes]:
    for before in range(3):
        text = base64.b64encode(bytes(before) + value)
        # The first and last characters also encode bits of the surrounding bytes.
        yield from _alphabets(text[-(-before * 8 // 6) : (before + len(value)) * 8 // 6])
    inner = base64.b64encode(value)[: len(value) * 8 // 6]
    for width in _WIDTHS:
        if len(inner) > width:
            lines = (inner[start : start + width] for start in range(0, len(inner), width))
            yield from (text for line in lines if len(line) >= SHORTEST_LINE for text in _alphabets(line))


def _alphabets(text: bytes) -> tuple[bytes, bytes]:
    return text, text.translate(bytes.maketrans(b"+/", b"-_"))


def _encode_in_32(value: bytes) -> Iterator[bytes]:
    for before in range(5):
        text = base64.b32encode(bytes(before) + value)
        inner = text[-(-before * 8 // 5) : (before + len(value)) * 8 // 5]
        yield inner
        yield inner.lower()


def _swap(value: bytes) -> bytes:
    return b"".join(value[index : index + 2][::-1] for index in range(0, len(value) - 1, 2)).hex().encode()
