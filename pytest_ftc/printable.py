"""Making hostile text fit for a person's eyes: names, values and logs of builds are not to be trusted."""

from __future__ import annotations


def printable(text: str, keep: str = "\n") -> str:
    """Return `text` with undecodable bytes and all that is not printable escaped, but for the characters to `keep`.

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
    return character if character.isprintable() else character.encode("unicode_escape").decode()
