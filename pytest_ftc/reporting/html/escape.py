"""Text on the page: all that a build has named or written passes here, and comes out as text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from urllib.parse import quote

from pytest_ftc.model import Verification
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.printable import printable, shorten


def text(value: object) -> str:
    """Return `value` for a page, harmless and with what is not printable escaped."""
    return escape(printable(str(value)))


def line(value: object, longest: int = 400) -> str:
    """Return `value` on one line of at most `longest` characters, as harmless."""
    return escape(shorten(str(value), longest))


def count(number: int, what: str) -> str:
    """Return ``1 build`` or ``2 builds``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def anchor(one: Verification) -> str:
    """Return the name under which the page can be linked to, for this artifact."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", one.name)
    if plain == one.name and is_declared(one.id, one.name):
        return f"artifact-{plain}"
    digest = sha256(one.id.encode("utf-8", "surrogateescape")).hexdigest()
    return f"artifact-{plain[:40].strip('-')}-{digest[:8]}"


def link_here(name: str, what: str) -> str:
    """Return a link to the place called `name`, to be copied."""
    return f'<a class="here" href="#{name}" aria-label="Link to {what}">#</a>'


def link_file(path: str, folder: str, label: str = "") -> str:
    """Return a link to the file `path`, relative to the page in `folder`; only its name where it lies elsewhere."""
    prefix = f"{folder}/"
    inside = path.removeprefix(prefix) if folder and path.startswith(prefix) else ""
    name = path.rpartition("/")[2]
    shown = line(label or name)
    if not inside:
        return f'<span class="quiet path">{shown}</span>'
    # Beginning with ./ it can never be taken for an address with a scheme.
    return f'<a class="path" href="./{quote(inside.encode("utf-8", "surrogateescape"))}">{shown}</a>'


def folded(title: str, body: Iterator[str] | list[str], style: str = "") -> Iterator[str]:
    """Yield a part of the page that is opened by its `title`, which is markup already."""
    attribute = f' class="{style}"' if style else ""
    yield f"<details{attribute}><summary>{title}</summary>"
    yield from body
    yield "</details>"
