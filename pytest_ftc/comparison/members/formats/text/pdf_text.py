"""The text that the content streams of PDF files show, without the kerning between its letters (ISO 32000-2, 9.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ARRAY = re.compile(rb"\[((?:\((?:[^()\\]|\\.)*\)|[-+\d.\s])*)\]\s{0,9}TJ", re.DOTALL)
_PART = re.compile(rb"\(((?:[^()\\]|\\.)*)\)|[-+]?[\d.]+", re.DOTALL)
_SPACE = -180
"""A shift to the right by more, in thousandths of the font's size, is between two words; kerning is less."""
KERNING = b"kerning "
"""Begins the lines behind the stream that have the rest of what is shown: lengths of strings, and shifts."""


def show_text(stream: bytes) -> bytes:
    """Return a content stream in which each array of kerned strings is one string, and behind it what is left out.

    All lines before keep their numbers.
    """
    rest: list[bytes] = []

    def join(array: re.Match[bytes]) -> bytes:
        parts = list(_PART.finditer(array[1]))
        rest.append(KERNING + b" ".join(_without_text(parts)))
        return b"[(" + b"".join(map(_shown, parts)) + b")]TJ"

    text = _ARRAY.sub(join, stream)
    return b"\n".join([text, *rest])


def _without_text(parts: list[re.Match[bytes]]) -> Iterator[bytes]:
    for part in parts:
        yield part[0] if part[1] is None else b"(%d)" % len(part[1])


def _shown(part: re.Match[bytes]) -> bytes:
    if part[1] is not None:
        return part[1]
    try:
        return b" " if float(part[0]) < _SPACE else b""
    except ValueError:
        return b""
