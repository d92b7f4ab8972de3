"""The output of ``ftc diff``: differences between two files or folders."""

from __future__ import annotations

from pytest_ftc.model import Verification
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.findings import finding_rows
from pytest_ftc.reporting.terminal.style import Page

_MOST_FINDINGS = 30


def diff_panel(verification: Verification, title: str, *, width: int, colour: bool) -> str:
    """Return the differences under the heading `title`."""
    from rich.text import Text

    page = Page(max(markup.NARROWEST, width), colour)
    head = Text("\n".join(layout.wrap(markup.show(title), page.width)), style=markup.LABEL)
    findings = list(finding_rows(page, verification, most=_MOST_FINDINGS))
    return layout.render_lines(page, [head, Text(), *findings])
