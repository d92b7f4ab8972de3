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

_COLOURED = re.compile(r"\x1b\[[0-9;]*m")


def tail_rows(page: Page, log_tail: str, most: int) -> list[str]:
    """Return the last `most` lines of the log, wrapped to the page, without colours and with tabs expanded."""
    lines = log_tail.rstrip().split("\n")[-most:] if log_tail.strip() else []
    plain = (markup.show(_COLOURED.sub("", line).rstrip("\r").expandtabs()) for line in lines)
    return [row for line in plain for row in layout.wrap(line, page.width - 4)]


def boxed(rows: Sequence[str]) -> Iterator[Text]:
    """Yield `rows` of a log with a vertical rule on the left."""
    from rich.text import Text

    for line in rows:
        yield Text(f"  │ {line}".rstrip())
