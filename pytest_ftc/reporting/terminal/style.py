"""Symbols, colours and rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.model.verification import EXPECTED

if TYPE_CHECKING:
    from rich.console import RenderableType

SYMBOLS = {
    Verdict.REPRODUCIBLE: ("✔", "green"),
    Verdict.EQUIVALENT: ("≈", "cyan"),
    Verdict.UNREPRODUCIBLE: ("✘", "bold red"),
    Verdict.FAILED: ("✘", "bold red"),
    Verdict.FRAGILE: ("✘", "bold magenta"),
    Verdict.ERROR: ("!", "bold yellow"),
}
"""Symbol and style of each verdict.  The word for the verdict always accompanies the symbol."""

BARS = "▁▂▃▄▅▆▇█"
"""From low to high."""

_IN_ASCII: dict[int, str | int] = {
    **str.maketrans(f"✔≈✘│›…·{BARS}", "+=x|>~-_.:-=+*#"),
    ord("≥"): ">=",
    ord("≤"): "<=",
}

NARROWEST = 40
"""Smallest width of a page in columns; some terminals report a width of one."""

LABEL = "bold"
QUIET = "dim"
CONTROL = "cyan"
EXPERIMENT = "yellow"


@dataclass(frozen=True, slots=True)
class Page:
    """The properties of the place where text is shown."""

    width: int
    """Columns."""
    colour: bool
    verbosity: int = 0
    """As of pytest: how often ``-v`` was given."""


def symbol_of(verification: Verification) -> tuple[str, str]:
    """Return the symbol and style of an artifact's verdict; a good one that fails is shown as bad."""
    broken = verification.verdict in EXPECTED and not verification.passed
    return SYMBOLS[Verdict.UNREPRODUCIBLE if broken else verification.verdict]


def show(text: str) -> str:
    """Return `text` on one line with control characters escaped; all text from builds passes through here."""
    return printable(text, keep="")


def show_lines(text: str) -> str:
    """Return multi-line `text` on one line, escaped like `show`."""
    return " · ".join(filter(None, (show(line.strip()) for line in text.split("\n"))))


def render(renderable: RenderableType, width: int, colour: bool) -> str:
    """Return `renderable` as text, neither wrapped nor cut, and without escape sequences if not in `colour`."""
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
    # Workflow commands are defused only now, because wrapping may have moved one to the beginning of a line.
    return defuse("".join(f"{line.rstrip()}\n" for line in capture.get().split("\n")[:-1]))


def fit_encoding(text: str, encoding: str | None) -> str:
    """Return `text` encodable in `encoding`: our symbols replaced by ASCII, other characters escaped."""
    text = defuse(text)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_IN_ASCII).encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
    return text
