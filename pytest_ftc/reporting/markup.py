"""All styling in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ftc.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

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
