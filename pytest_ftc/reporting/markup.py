"""All styling in one place, and the one gate through which hostile text passes on its way to a screen."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pytest_ftc.model import Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType

SYMBOLS = {
    Verdict.REPRODUCIBLE: ("✔", "+", "green"),
    Verdict.UNREPRODUCIBLE: ("✘", "x", "bold red"),
    Verdict.FAILED: ("✘", "x", "bold red"),
    Verdict.FRAGILE: ("✘", "x", "bold magenta"),
    Verdict.ERROR: ("!", "!", "bold yellow"),
}
"""A verdict's symbol, the same in ASCII, and its style."""

LABEL = "bold"
QUIET = "dim"
CONTROL = "cyan"
EXPERIMENT = "yellow"


def printable(text: str) -> str:
    """Return `text` with control characters, bidirectional controls and undecodable bytes escaped; lines are kept."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character == "\n" else _escape(character) for character in text)


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character.encode("unicode_escape", "surrogatepass").decode()
    return character


def render(renderable: RenderableType, width: int, *, colour: bool) -> str:
    """Return what rich makes of `renderable` in `width` columns; without `colour` there are no escapes at all."""
    from io import StringIO

    from rich.console import Console

    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
