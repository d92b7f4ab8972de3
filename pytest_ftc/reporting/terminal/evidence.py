"""The two values of a difference, one below the other, with the changes highlighted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import TYPE_CHECKING

from pytest_ftc.model import Evidence
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

_WORD = re.compile(r"\d+\.\d+(?:[eE][-+]?\d+)?(?!\w)|\w+|\W")
_LONGEST_WORD = 64
"""A longer word, such as data in base64, is compared by its characters."""
_NEAR = 2
"""Changes separated by at most this many characters are shown as one."""

Span = tuple[int, int]


def evidence_rows(page: Page, evidence: Evidence) -> Iterator[Text]:
    """Yield both values, cut around their difference; without colour, a third row points at it."""
    from rich.text import Text

    control, experiment = _cut_alike(page, markup.show(evidence.control), markup.show(evidence.experiment))
    before, after = _changes(control, experiment)
    yield _value_row("control", control, before, markup.CONTROL)
    yield _value_row("experiment", experiment, after, markup.EXPERIMENT)
    pointers = "" if page.colour else _point_at(experiment, after)
    if pointers:
        yield Text.assemble(layout.head(""), pointers)


def _value_row(label: str, value: str, spans: Sequence[Span], style: str) -> Text:
    from rich.text import Text

    text = Text(value or "(nothing)")
    for start, end in spans:
        text.stylize(f"bold {style}", start, end)
    return Text.assemble(layout.head(label), text)


def _cut_alike(page: Page, one: str, other: str) -> tuple[str, str]:
    """Cut both values at the same position, shortly before their first difference, so that they stay aligned."""
    from rich.cells import cell_len

    room = layout.room(page)
    skip = 0
    if max(cell_len(one), cell_len(other)) > room:
        skip = max(0, _first_difference(one, other) - room // 3)
    if skip:
        one, other = f"…{one[skip:]}", f"…{other[skip:]}"
    return layout.cut_end(one, room), layout.cut_end(other, room)


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _changes(one: str, other: str) -> tuple[list[Span], list[Span]]:
    """Return the spans that differ in each value, as whole words and numbers, with nearby ones merged."""
    merged: list[tuple[int, int, int, int]] = []
    words, other_words = _words(one), _words(other)
    starts, other_starts = _starts(words), _starts(other_words)
    for kind, *bounds in SequenceMatcher(None, words, other_words, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        a, b = (starts[bound] for bound in bounds[:2])
        c, d = (other_starts[bound] for bound in bounds[2:])
        if merged and a - merged[-1][1] <= _NEAR and c - merged[-1][3] <= _NEAR:
            a, _, c, _ = merged.pop()
        merged.append((a, b, c, d))
    return [(a, b) for a, b, _, _ in merged], [(c, d) for _, _, c, d in merged]


def _words(value: str) -> list[str]:
    """Return the words and numbers of `value`, and the characters between them."""
    parts: list[str] = []
    for word in _WORD.findall(value):
        parts += [word] if len(word) <= _LONGEST_WORD else word
    return parts


def _starts(words: Sequence[str]) -> list[int]:
    """Return where each of `words` starts, and the end of the last."""
    return list(accumulate(map(len, words), initial=0))


def _point_at(value: str, spans: Sequence[Span]) -> str:
    """Return carets below `spans`; empty if they would cover the whole value."""
    from rich.cells import cell_len

    line = ""
    for start, end in spans:
        line = line.ljust(cell_len(value[:start]))
        line += "^" * cell_len(value[start:end])
    return "" if line.count("^") >= cell_len(value) - 1 else line.rstrip()
