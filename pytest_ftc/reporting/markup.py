"""All styling in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ftc.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

SYMBOLS = {
    Verdict.REPRODUCIBLE: ("✔", "green"),
    Verdict.UNREPRODUCIBLE: ("✘", "bold red"),
    Verdict.FAILED: ("✘", "bold red"),
    Verdict.FRAGILE: ("✘", "bold magenta"),
    Verdict.ERROR: ("!", "bold yellow"),
}
"""A verdict's symbol and its style."""

_IN_ASCII = str.maketrans({"✔": "+", "✘": "x", "│": "|", "›": ">", "…": "~"})

LABEL = "bold"
QUIET = "dim"
CONTROL = "cyan"
EXPERIMENT = "yellow"


def render(lines: Iterable[Text], width: int, *, colour: bool) -> str:
    """Return the `lines` as text, neither wrapped nor cut; without `colour` there are no escapes at all."""
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
        for line in lines:
            console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def fit_encoding(text: str, encoding: str | None) -> str:
    """Return `text` as a stream of `encoding` can show it: our own symbols in ASCII, anything else escaped."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_IN_ASCII).encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
    return text
