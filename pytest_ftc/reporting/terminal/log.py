"""The end of a build's log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

_LONGEST_LINE = 4000
"""Characters of one line that are shown: longer ones are data."""
_COLOURED = re.compile(r"\x1b\[[0-9;]*m")


def tail_rows(page: Page, log_tail: str, most: int) -> list[str]:
    """Return the last rows of the log, at most `most`, wrapped to the page, without colours and with tabs expanded.

    The last line is there in full: it often is the message.
    """
    lines = log_tail.rstrip().split("\n")[-most:] if log_tail.strip() else []
    plain = (_cut(markup.show(_COLOURED.sub("", line).rstrip("\r").expandtabs())) for line in lines)
    wrapped = [layout.wrap(line, page.width - 4) for line in plain]
    last = len(wrapped[-1]) if wrapped else 0
    return [row for rows in wrapped for row in rows][-max(most, last) :]


def _cut(line: str) -> str:
    half = _LONGEST_LINE // 2
    return line if len(line) <= _LONGEST_LINE else f"{line[:half]}…{line[-half:]}"


def boxed(rows: Sequence[str]) -> Iterator[Text]:
    """Yield `rows` of a log with a vertical rule on the left."""
    from rich.text import Text

    for line in rows:
        yield Text(f"  │ {line}".rstrip())
