"""Whose process ID is in a value."""

from __future__ import annotations

import re

from pytest_ftc.diagnosis.culprits.commands import STARTERS, ancestors, name_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.sought import Sought

_NUMBER = re.compile(r"\d+")
_LEAST = 2
"""Fewest digits of an ID that hardly begin another number by chance."""


def find_owner_of_pid(flow: Flow, index: int, sought: Sought) -> int | None:
    """Return which of those that started the program `index` has the process ID that is in the value; None if none.

    Another number may stand behind it, as that of a page.  None too if the ID is that of `index`, or of
    a shell or make: their own text says where the ID goes, and the command there is the place of that.
    """
    numbers = {number for tier in sought.needles.tiers for text in tier for number in _NUMBER.findall(text)}
    above = [index, *ancestors(flow.trace, flow.program(index))]
    named = {one: str(flow.program(one).pid) for one in above}
    exact = [one for one in above if named[one] in numbers]
    begun = [
        one for one in above if len(named[one]) >= _LEAST and any(number.startswith(named[one]) for number in numbers)
    ]
    owner = next(iter(exact or begun), None)
    return None if owner is None or owner == index or name_of(flow.program(owner)) in STARTERS else owner
