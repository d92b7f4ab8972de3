"""Settings of Sphinx: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from pytest_ftc import __version__

project = "pytest-ftc"
author = copyright = "The pytest-ftc authors"
release = version = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "pytest-ftc"
html_static_path = ["_static"]
html_css_files = ["ftc.css"]
html_copy_source = False
# Straight quotes and two hyphens are meant as they are: most stand in options and code.
smartquotes = False
pygments_style, pygments_dark_style = "friendly", "monokai"

CHAPTERS = {
    "Getting started": ["how-do-i", "start", "how-it-works", "in-tests", "commands"],
    "Guides": [
        "guides/python",
        "guides/c",
        "guides/npm",
        "guides/rust",
        "guides/java",
        "guides/ml",
        "guides/numbers",
        "guides/containers",
        "guides/publish",
        "guides/kubernetes",
    ],
    "Reference": ["configuration", "variations", "causes", "diagnosis", "normalize", "reports", "store"],
    "Operation": [
        "ci",
        "tools",
        "operations",
        "metrics",
        "runbooks",
        "traces",
        "replay",
        "attest",
        "sbom",
        "evidence",
        "comparison",
        "accuracy",
        "security",
    ],
    "Extend it": ["hooks"],
}
"""The pages in the order of the side bar; those that are not named here follow at its end."""


def setup(app: Sphinx) -> None:
    """Add the table of contents to the first page: there it would be noise for those who read the pages on a forge."""
    app.connect("source-read", _add_contents)
    app.connect("html-page-context", _label_cells)


def _label_cells(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give the cells of tables their headings, which a narrow screen shows beside them: see ftc.css."""
    if "body" in context:
        context["body"] = re.sub(r"<table.*?</table>", _label_table, context["body"], flags=re.DOTALL)


def _label_table(table: re.Match[str]) -> str:
    labels = [re.sub('<[^>]*>|"', "", one).strip() for one in re.findall("<th[ >].*?</th>", table[0], re.DOTALL)]
    if len(labels) < 3:
        return table[0]  # what two cells are is clear

    def label_row(row: re.Match[str]) -> str:
        rest = iter(["", *labels[1:]])
        return re.sub("<td", lambda _: f'<td data-label="{label}"' if (label := next(rest, "")) else "<td", row[0])

    return re.sub("<tr.*?</tr>", label_row, table[0], flags=re.DOTALL)


def _add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    if page == "index":
        source[0] += "".join(_toctree(name, pages) for name, pages in _chapters(Path(app.srcdir)).items() if pages)


def _chapters(folder: Path) -> dict[str, list[str]]:
    there = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md"))
    named = [page for pages in CHAPTERS.values() for page in pages]
    chapters = {name: [page for page in pages if page in there] for name, pages in CHAPTERS.items()}
    return {**chapters, "More": [page for page in there if page not in named and page != "index"]}


def _toctree(caption: str, pages: list[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
