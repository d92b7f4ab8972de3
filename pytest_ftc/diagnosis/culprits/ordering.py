"""Who put the same words in another order, where the order follows the rules of a language."""

from __future__ import annotations

import re

from pytest_ftc.diagnosis.culprits.commands import name_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.sought import Sought
from pytest_ftc.model import Cause, Field

_ORDERING = frozenset({"ls", "sort"})
"""Programs that order what they write by the language, and what they read not otherwise."""
_WORD = re.compile(r"\d+[.,]\d+|[^\W_]+")
"""Numbers with a fraction are one word: languages write them differently."""
_MOST = 200
"""Most programs to look at."""


def find_way_from_order(flow: Flow, index: int, path: str, sought: Sought) -> list[int]:
    """Return the programs from `index`, which wrote `path`, back to the last one that ordered what it passed on.

    Filters such as sed and awk keep the order in which they are given lines, so the value of a place, which each of
    them has written too, tells nothing.  Empty if only an order does not explain the place, or nobody known ordered.
    """
    if sought.cause != Cause.LOCALES or not _has_moved(flow, index, path, sought):
        return []
    words = {one for one in _new_words(sought) if not one.isdigit()}  # numbers count lines, which comes after
    before: dict[int, int | None] = {index: None}
    reached = [(index, path)]
    for one, written in reached:
        if name_of(flow.program(one)) in _ORDERING and words <= _words(flow.contents(one, written)):
            return _way(before, one)
        for other, source in flow.told(one):
            if other not in before and len(before) < _MOST and flow.could_read(one, other):
                before[other] = one
                reached.append((other, source))
    return []


def _has_moved(flow: Flow, index: int, path: str, sought: Sought) -> bool:
    """Return whether words differ, and all of those stand in the same file of the other build too."""
    place = sought.place
    if place.field is not Field.CONTENT:
        return place.field is Field.ORDER
    control, experiment = (_WORD.findall(data.decode("latin-1")) for data in (place.control, place.experiment))
    return control != experiment and _new_words(sought) <= _words(flow.contents(index, path))


def _new_words(sought: Sought) -> set[str]:
    place = sought.place
    return _words(place.experiment.decode("latin-1")) - _words(place.control.decode("latin-1"))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def _way(before: dict[int, int | None], index: int | None) -> list[int]:
    way = []
    while index is not None:
        way.append(index)
        index = before[index]
    return way[::-1]
