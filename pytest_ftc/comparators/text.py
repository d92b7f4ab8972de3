"""Making bytes and hostile text fit for a person's eyes."""

from __future__ import annotations

import unicodedata

LONGEST = 300
"""Characters of one piece of evidence."""


def show(text: str, longest: int = LONGEST) -> str:
    """Return `text` on one line, control characters and undecodable bytes escaped, cut in the middle when long."""
    if len(text) > 4 * longest:
        text = text[: 2 * longest] + text[-2 * longest :]
    escaped = "".join(map(_escape, text))
    if len(escaped) <= longest:
        return escaped
    half = (longest - 1) // 2
    return f"{escaped[:half]}…{escaped[-half:]}"


def neutralise(text: str) -> str:
    """Return `text` with its lines kept and every other control character escaped."""
    return "".join(character if character in "\n\t" else _escape(character) for character in text)


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    # Cf holds the bidirectional controls that reorder a line on screen; Cs, surrogates.
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character.encode("unicode_escape", "surrogatepass").decode()
    return character
