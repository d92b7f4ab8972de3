"""Layout in columns: ``label  text`` rows, wrapped or cut to the page.  Widths are in terminal cells."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_INDENT = 2
_COLUMN = 14
"""Column at which the text of a row begins."""
_BELOW = 4
"""Column at which text that is too wide for its column begins, on lines of its own."""


def room(page: Page) -> int:
    """Return the width available for the text of a row."""
    return page.width - _COLUMN


def head(label: str) -> Text:
    """Return the label column of a row."""
    from rich.text import Text

    return Text(f"{' ' * _INDENT}{label:<{_COLUMN - _INDENT}}", style=markup.QUIET)


def row(page: Page, label: str, text: str, *, style: str = "", most_rows: int = 4) -> Text:
    """Return a row with `text`, which must be escaped, wrapped and cut in the middle to `most_rows` lines."""
    from rich.text import Text

    lines = _wrap_into(text, room(page), most_rows)
    return Text.assemble(head(label), (f"\n{' ' * _COLUMN}".join(lines), style))


def row_to_copy(page: Page, label: str, text: str) -> Text:
    """Return a row that is never cut or broken; text too wide for its column gets a separate line."""
    from rich.cells import cell_len
    from rich.text import Text

    if cell_len(text) <= room(page):
        return Text.assemble(head(label), text)
    return _below(label, [text])


def command_row(page: Page, label: str, command: str) -> Text:
    """Return a row with a shell command; a long one continues after backslashes, so that it can be pasted."""
    from rich.cells import cell_len
    from rich.text import Text

    lines = [command] if cell_len(command) <= room(page) else _continued(_shell_words(command), room(page) - 2)
    if max(map(cell_len, lines)) <= room(page):
        return Text.assemble(head(label), f"\n{' ' * _COLUMN}".join(lines))
    return _below(label, lines)


def _below(label: str, lines: Sequence[str]) -> Text:
    from rich.text import Text

    return Text.assemble((f"{' ' * _INDENT}{label}", markup.QUIET), *(f"\n{' ' * _BELOW}{line}" for line in lines))


def row_of_items(page: Page, label: str, items: Sequence[str]) -> Text:
    """Return a row of separated `items`, none of them broken across lines."""
    from rich.cells import cell_len
    from rich.text import Text

    between = " · "
    lines: list[str] = []
    for item in (cut_middle(item, room(page)) for item in items):
        if lines and cell_len(lines[-1] + between + item) <= room(page):
            lines[-1] += between + item
        else:
            lines.append(item)
    return Text.assemble(head(label), f"\n{' ' * _COLUMN}".join(lines))


def render_lines(page: Page, lines: Sequence[Text]) -> str:
    """Render `lines` for the page."""
    from rich.text import Text

    return markup.render(Text("\n").join(lines), page.width, page.colour)


def wrap(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` cells, broken between words where possible."""
    from rich.text import Text

    lines = Text(text).wrap(_console(), width, overflow="fold")
    return [line.plain.rstrip() for line in lines]


def cut_end(text: str, width: int) -> str:
    """Return `text` cut at the end to at most `width` cells."""
    from rich.cells import cell_len

    return text if cell_len(text) <= width else _beginning(text, width - 1) + "…"


def cut_middle(text: str, width: int) -> str:
    """Return `text` cut in the middle to at most `width` cells, since both ends of a name identify it best."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    left = (width - 1) // 2
    end = _beginning(text[::-1], width - 1 - left)[::-1]
    return _beginning(text, left) + "…" + end


def _beginning(text: str, width: int) -> str:
    from rich.cells import cell_len

    part = text[: max(0, width)]
    while part and cell_len(part) > width:
        part = part[:-1]
    return part


def _wrap_into(text: str, width: int, most_rows: int) -> list[str]:
    budget = most_rows * width
    while len(lines := wrap(cut_middle(text, budget), width)) > most_rows:
        budget -= max(1, width // 8)
    return lines


def _shell_words(command: str) -> list[str]:
    """Return the words of `command`, with their quotes."""
    try:
        return list(shlex.split(command, posix=False))
    except ValueError:
        return [command]


def _continued(words: Sequence[str], width: int) -> list[str]:
    """Return `words` in lines of `width` cells where possible, all but the last ending in a backslash."""
    from rich.cells import cell_len

    lines: list[str] = []
    for word in words:
        if lines and cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


@cache
def _console() -> Console:
    from io import StringIO

    from rich.console import Console

    return Console(file=StringIO())
