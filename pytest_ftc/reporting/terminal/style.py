"""All styling in one place: symbols, colours, and the page they are put on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.service_commands import defuse

if TYPE_CHECKING:
    from rich.console import RenderableType

SYMBOLS = {
    Verdict.REPRODUCIBLE: ("✔", "green"),
    Verdict.UNREPRODUCIBLE: ("✘", "bold red"),
    Verdict.FAILED: ("✘", "bold red"),
    Verdict.FRAGILE: ("✘", "bold magenta"),
    Verdict.ERROR: ("!", "bold yellow"),
}
"""A verdict's symbol and its style.  The verdict's own word always stands beside it."""

_IN_ASCII = str.maketrans({"✔": "+", "✘": "x", "│": "|", "›": ">", "…": "~", "·": "-"})

NARROWEST = 40
"""Columns below which a page is laid out as if it had as many: a terminal may call itself one column wide."""

LABEL = "bold"
QUIET = "dim"
CONTROL = "cyan"
EXPERIMENT = "yellow"


@dataclass(frozen=True, slots=True)
class Page:
    """Where text is shown."""

    width: int
    """Columns."""
    colour: bool


def symbol_of(verification: Verification) -> tuple[str, str]:
    """Return the symbol of an artifact's verdict and its style; a rule that it breaks besides makes it a bad one."""
    broken = verification.verdict is Verdict.REPRODUCIBLE and not verification.passed
    return SYMBOLS[Verdict.UNREPRODUCIBLE if broken else verification.verdict]


def show(text: str) -> str:
    """Return `text` on one line and harmless: everything that a build has named or written passes here."""
    return printable(text, keep="")


def show_lines(text: str) -> str:
    """Return `text` of several lines on one, harmless too."""
    return " · ".join(filter(None, (show(line.strip()) for line in text.split("\n"))))


def render(renderable: RenderableType, width: int, colour: bool) -> str:
    """Return `renderable` as text, neither wrapped nor cut; without `colour` there are no escapes at all."""
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
        console.print(renderable, soft_wrap=True)
    # Only here the lines are known: what was wrapped may begin one.
    return defuse("".join(f"{line.rstrip()}\n" for line in capture.get().split("\n")[:-1]))


def fit_encoding(text: str, encoding: str | None) -> str:
    """Return `text` as a stream of `encoding` can show it: our own symbols in ASCII, anything else escaped."""
    text = defuse(text)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_IN_ASCII).encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
    return text
