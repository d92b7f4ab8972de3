"""A diff side by side: what only the control has on the left, what only the experiment has on the right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

from markupsafe import Markup

from pytest_ftc.reporting.html.elements import text

_LINE = re.compile(r"(?:│ )*([-+ ])(.*)", re.DOTALL)
"""A line of a unified diff, below the branches of diffoscope's tree: its sign, and itself."""
_NAMES = 2
"""Lines at the start, with the names of the files."""


def side_by_side(lines: Sequence[str]) -> Iterator[Markup]:
    """Yield a unified diff, or diffoscope's tree of them, as rows of two columns; its headings span both."""
    yield Markup('<div class="sides" role="group" tabindex="0" aria-label="diff">')
    yield Markup('<b class="one">control</b><b class="other">experiment</b>')
    for changes, parts in groupby(map(_split, lines[_NAMES:]), key=lambda part: part[0] in ("-", "+")):
        rows = list(parts)
        yield from _changes(rows) if changes else map(_same, rows)
    yield Markup("</div>")


def mark_difference(one: str, other: str) -> tuple[Markup, Markup]:
    """Return both texts, with the part between their common start and their common end marked."""
    shorter = min(len(one), len(other))
    start = next((place for place in range(shorter) if one[place] != other[place]), shorter)
    rest = shorter - start
    end = next((place for place in range(rest) if one[-1 - place] != other[-1 - place]), rest)
    return _mark(one, start, len(one) - end), _mark(other, start, len(other) - end)


def _mark(value: str, start: int, end: int) -> Markup:
    parts = text(value[:start]), text(value[start:end]), text(value[end:])
    return Markup("{}<mark>{}</mark>{}").format(*parts)


def _split(content: str) -> tuple[str, str]:
    """Return the sign of a line, empty for a heading, and its text."""
    found = _LINE.fullmatch(content)
    return (found[1], found[2]) if found else ("", content)


def _same(part: tuple[str, str]) -> Markup:
    sign, content = part
    if not sign:
        return Markup('<div class="whole">{}</div>').format(text(content))
    return Markup('<div>{0}</div><div class="again">{0}</div>').format(text(content))


def _changes(parts: Sequence[tuple[str, str]]) -> Iterator[Markup]:
    removed, added = ([content for sign, content in parts if sign == wanted] for wanted in "-+")
    for one, other in zip_longest(removed, added):
        if one is None:
            yield Markup('<div class="none"></div><div class="other">{}</div>').format(text(other))
        elif other is None:
            yield Markup('<div class="one">{}</div><div class="none"></div>').format(text(one))
        else:
            yield Markup('<div class="one">{}</div><div class="other">{}</div>').format(*mark_difference(one, other))
