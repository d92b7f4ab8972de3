"""Places in builds with remedies: a string that is shorter may stand behind others, a file have another number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from pytest_ftc.comparison.members.span import common_end, common_start
from pytest_ftc.diagnosis.places import Key, Places, holder_of, is_string
from pytest_ftc.model import Place

_DIGITS = re.compile(rb"[0-9]")
_NUMBER = re.compile("[0-9]+")
_ALIKE = 0.5
"""Likeness of the values of one string in two builds of the control."""


def under_known_strings(known: Mapping[Key, Place], places: Places) -> Places:
    """Return `places` with the keys of the `known` strings of which the control has the same value, or one alike.

    Linkers sort strings by alignment, which depends on their length: so one may have another number.
    """
    ours, theirs = _by_holder(known), _by_holder(places)
    renamed: dict[Key, Key] = {}
    for holder, found in theirs.items():
        ranked = sorted(
            (-alike, key != own, key, own)
            for key in found
            for own in ours.get(holder, ())
            if (alike := _likeness(known[own].control, places[key].control)) >= _ALIKE
        )
        for _, _, key, own in ranked:
            if key not in renamed and own not in renamed.values():
                renamed[key] = own
    moved = {renamed[key]: place for key, place in places.items() if key in renamed}
    return moved | {key: place for key, place in places.items() if key not in renamed and key not in moved}


def under_other_numbers(known: Collection[Key], differing: Places) -> frozenset[Key]:
    """Return the `known` places that are among the unknown `differing` ones but for numbers in the names of files.

    A remedy may change the version, or the date, that is part of a name.
    """
    found = {_without_numbers(key) for key in differing if key not in known}
    return frozenset(key for key in known if _without_numbers(key) in found)


def _without_numbers(key: Key) -> Key:
    output, member = (_NUMBER.sub("0", name) for name in (key.output, key.member))
    return key._replace(output=output, member=member)


def _by_holder(keys: Iterable[Key]) -> Mapping[Key, list[Key]]:
    held: dict[Key, list[Key]] = defaultdict(list)
    for key in keys:
        if is_string(key):
            held[holder_of(key)].append(key)
    return held


def is_merged(key: Key, place: Place, known: Mapping[Key, Place]) -> bool:
    """Return whether a string is now the end of another one, which is what a `known` one has become.

    Linkers keep a string that another one ends with only once, in the one that is longer.
    """
    if not is_string(key) or not place.control or not place.experiment.endswith(place.control):
        return False
    strings = (one for other, one in known.items() if is_string(other) and holder_of(other) == holder_of(key))
    return any(_likeness(one.control, place.experiment) >= _ALIKE for one in strings)


def _likeness(one: bytes, other: bytes) -> float:
    """Return which part of the longer value begins or ends as the other one does; digits may be those of a time."""
    own, theirs = (_DIGITS.sub(b"0", value) for value in (one, other))
    longest = max(len(own), len(theirs))
    if one == other:
        return 2.0
    return min(common_start(own, theirs) + common_end(own, theirs), longest) / longest
