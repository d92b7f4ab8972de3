"""Elements of the page.  All text from builds becomes `Markup` here, so it is always escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from urllib.parse import quote

from markupsafe import Markup, escape

from pytest_ftc.model import Verification
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.support.printable import printable, shorten
from pytest_ftc.reporting.causes import find_cause


def text(value: object) -> Markup:
    """Return `value` as markup, with unprintable characters spelled out."""
    return escape(printable(str(value)))


def line(value: object, longest: int = 400) -> Markup:
    """Return `value` as markup on one line of at most `longest` characters."""
    return escape(shorten(str(value), longest))


def count(number: int, what: str) -> str:
    """Return ``1 build`` or ``2 builds``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def anchor(one: Verification) -> str:
    """Return the anchor of an artifact on the page."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", one.name)
    if plain == one.name and is_declared(one.id, one.name):
        return f"artifact-{plain}"
    digest = sha256(one.id.encode("utf-8", "surrogateescape")).hexdigest()
    return f"artifact-{plain[:40].strip('-')}-{digest[:8]}"


def cause_link(cause: str) -> Markup:
    """Return the name of a cause, linked to what it means if the page has that."""
    shown = line(cause)
    return Markup('<a href="#cause-{}">{}</a>').format(shown, shown) if find_cause(cause) else shown


def heading(*labels: str) -> Markup:
    """Return the first row of a table."""
    cells = Markup().join(Markup('<th scope="col">{}</th>').format(label) for label in labels)
    return Markup("<tr>{}</tr>").format(cells)


def cell(label: str, content: object, style: str = "") -> Markup:
    """Return a cell of a table with the heading of its column, which a narrow screen shows in the cell."""
    attribute = Markup(' class="{}"').format(style) if style else ""
    return Markup('<td data-label="{}"{}>{}</td>').format(label, attribute, content)


def link_here(name: str, what: str) -> Markup:
    """Return a permalink to the anchor `name`."""
    return Markup('<a class="here" href="#{}" aria-label="Link to {}">#</a>').format(name, what)


def link_file(path: str, folder: str, label: str = "") -> Markup:
    """Return a link to the file `path` relative to the page in `folder`; for files elsewhere, only the name."""
    shown = line(label or path.rpartition("/")[2])
    address = _address(path, folder)
    if not address:
        return Markup('<span class="quiet path">{}</span>').format(shown)
    return Markup('<a class="path" href="{}">{}</a>').format(address, shown)


def link_output(path: str, folder: str, label: str) -> Markup:
    """Return a link as `link_file` does, which downloads what a build left rather than opens it; else `path`."""
    if address := _address(path, folder):
        return Markup('<a class="path" href="{}" download>{}</a>').format(address, line(label))
    return Markup('<span class="path">{}</span>').format(line(path))


def _address(path: str, folder: str) -> str:
    """Return the address of the file `path` for the page in `folder`; empty if the file is elsewhere."""
    prefix = f"{folder}/"
    inside = path.removeprefix(prefix) if folder and path.startswith(prefix) else ""
    # A leading ./ prevents a browser from reading the name as a URL with a scheme.
    return "./" + quote(inside.encode("utf-8", "surrogateescape")) if inside else ""


def folded(title: str, body: Iterable[Markup], style: str = "") -> Iterator[Markup]:
    """Yield a collapsible section with the summary `title`."""
    attribute = Markup(' class="{}"').format(style) if style else ""
    yield Markup("<details{}><summary>{}</summary>").format(attribute, title)
    yield from body
    yield Markup("</details>")
