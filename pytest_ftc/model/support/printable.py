"""Escaping of untrusted text for display: names, values and logs of builds may be hostile."""

from __future__ import annotations

import re

_JOINS = re.compile(
    "[\ufe00-\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\u1160-\u11ff\ud7b0-\ud7ff\u115f\u3164\uffa0]"
)
"""Characters that join with the one before them, so that a line's width is not the sum of its parts, and fillers.

The last ones are parts of Korean syllables, and letters that nobody sees.
"""


def printable(text: str, keep: str = "\n") -> str:
    """Return `text` with undecodable bytes and all that is not printable escaped, except the characters in `keep`.

    Not printable are control characters and the bidirectional ones, which reorder a line: see `str.isprintable`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character in keep else _escape(character) for character in text)


def shorten(text: str, longest: int = 300) -> str:
    """Return `text` on one printable line of at most `longest` characters, cut in the middle."""
    if len(text) > 4 * longest:
        text = text[: 2 * longest] + text[-2 * longest :]
    escaped = printable(text, keep="")
    if len(escaped) <= longest:
        return escaped
    half = (longest - 1) // 2
    return f"{escaped[:half]}…{escaped[-half:]}"


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character.isprintable() and not _JOINS.match(character):
        return character
    return character.encode("unicode_escape").decode()
