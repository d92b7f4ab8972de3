"""Which of many values that differ are listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.plain import Found, clip

_MOST = 16
_MOST_SEEN = 2000
_NUMBERS = re.compile(r"\[\d+\]")


def by_path(found: Found) -> str:
    """Return the kind of a value: those whose paths differ only in numbers are of one kind."""
    return _NUMBERS.sub("", found.location)


def choose(
    found: Iterable[Found], noun: str, budget: Budget, kind: Callable[[Found], Hashable] = by_path
) -> tuple[Found, ...]:
    """Return at most 16 of what was `found`, in its order: one of each `kind`, and then the first ones.

    Those of a kind often have one cause, and another kind has another.  Raises OutOfTimeError, and whatever the
    iterable raises.
    """
    seen = list(islice(found, _MOST_SEEN))
    kinds: dict[Hashable, int] = {}
    for index, each in enumerate(seen):
        kinds.setdefault(kind(each), index)
    chosen = dict.fromkeys([*kinds.values(), *range(len(seen))])
    if len(chosen) > _MOST:
        budget.record(f"more {noun}s differ in a member than are listed")
    return tuple(_clip(seen[index], budget) for index in _first(chosen))


def _first(chosen: Iterable[int]) -> Sequence[int]:
    return sorted(islice(chosen, _MOST))


def _clip(found: Found, budget: Budget) -> Found:
    values = clip(found.control, found.experiment, budget.limits.value)
    return Found(found.field, found.location, *values, numbers=found.numbers)
