"""Who put the same words in another order, by the rules of a language, or in a list of what is then packed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_ftc.diagnosis.culprits.commands import COMPRESSORS, name_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.sought import Sought
from pytest_ftc.diagnosis.culprits.upstream import told_above
from pytest_ftc.model import Cause, Field

_ORDERING = frozenset({"ls", "sort"})
"""Programs that order what they write by the language, and what they read not otherwise."""
_WORD = re.compile(r"\d+[.,]\d+|[^\W_]+")
"""Numbers with a fraction are one word: languages write them differently."""
_OF_MEMBERS = (" entry order", " member order")
"""What the place of the order of an archive's members ends with."""
_END_OF_NAME = re.compile(r"[\n\0]")
_MOST = 200
"""Most programs to look at."""
_DEEPEST = 16
"""Most programs that pass on a list."""


def find_way_from_order(flow: Flow, index: int, path: str, sought: Sought) -> list[int]:
    """Return the programs from `index`, which wrote `path`, back to the last one that ordered what it passed on.

    Filters such as sed and awk keep the order in which they are given lines, so the value of a place, which each of
    them has written too, tells nothing.  Empty if only an order does not explain the place, or nobody known ordered.
    """
    is_of_members = sought.place.field is Field.ORDER and sought.place.location.endswith(_OF_MEMBERS)
    if is_of_members and (way := _find_way_from_list(flow, index, sought)):
        return way
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


def _find_way_from_list(flow: Flow, index: int, sought: Sought) -> list[int]:
    """Return the programs from `index`, which wrote an archive, back to the first that listed its members in order.

    As for ``find | tar -T -`` and ``zip x.zip $(ls)``; empty if nobody was seen to.
    """
    orders = [_names(side.decode("utf-8", "replace")) for side in (sought.place.control, sought.place.experiment)]
    way = [index]
    if name_of(flow.program(index)) in COMPRESSORS:
        way += [packer for packer, _ in flow.told(index)][:1]
    packers = len(way)
    while len(way) < _DEEPEST and (lister := _find_lister(flow, way, orders)) is not None:
        way.append(lister)
    return way if len(way) > packers else []


def _find_lister(flow: Flow, way: Sequence[int], orders: Sequence[Sequence[str]]) -> int | None:
    """Return who listed the names for the last program of the `way`, in one of their `orders`."""
    reader = way[-1]
    given = {name for word in flow.program(reader).argv for name in _names(word)}
    told = [*flow.told(reader), *(told_above(flow, reader) if len(given & set(orders[0])) > 1 else ())]
    listing = (one for one, source in told if any(_lists(flow.contents(one, source), order) for order in orders))
    return next((one for one in listing if one not in way), None)


def _lists(text: str, names: Sequence[str]) -> bool:
    """Return whether a `text` lists all `names` in their order."""
    places = {name: number for number, name in enumerate(_names(text))}
    found = [places[name] for name in names if name in places]
    return len(found) == len(names) > 1 and found == sorted(found)


def _names(text: str) -> list[str]:
    """Return the names of files in a list, without the folder that they begin with where that is the current one.

    ``ar`` calls its table of symbols ``/``.
    """
    return [name for word in _END_OF_NAME.split(text) if (name := word.removeprefix("./").rstrip("/"))]


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
