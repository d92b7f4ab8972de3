"""Following a differing value back to the command that brought it in, over the files and pipes that it passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_ftc.diagnosis.culprits.commands import find_driver
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.folders import find_maker_of_folder
from pytest_ftc.diagnosis.culprits.ordering import find_way_from_order
from pytest_ftc.diagnosis.culprits.process_ids import find_owner_of_pid
from pytest_ftc.diagnosis.culprits.sought import Sought, choose, choose_by_line
from pytest_ftc.diagnosis.culprits.steps import SOMEHOW, UNDECIDED, Step
from pytest_ftc.model import Cause, Program

_DEEPEST = 16
"""Most steps back."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The commands that a value passed."""

    program: Program | None = None
    """The one that brought it in; None if there is none, or several may have."""
    chain: tuple[Program, ...] = field(default=())
    """That one and those that passed the value on, in order; the last wrote the output."""


def follow(flow: Flow, path: str, sought: Sought) -> Trail:
    """Return the way of the value to the file `path` (absolute)."""
    writers = flow.writers(path)
    by_line = choose_by_line(flow, path, writers, sought)
    index = choose(flow, path, writers, sought) if by_line is None else by_line
    if index is not None and (way := find_way_from_order(flow, index, path, sought)):
        return _trail(flow, way, way[-1])
    steps, last = _step_back(flow, index, path, sought)
    if sought.cause == Cause.PID and steps and (owner := find_owner_of_pid(flow, steps[-1], sought)) is not None:
        steps, last = [*steps, owner], owner
    elif (sought.cause, last) == (Cause.RANDOM, UNDECIDED) and (
        maker := find_maker_of_folder(flow, sought.needles)
    ) is not None:
        steps, last = [*steps, maker], maker
    return _trail(flow, steps, last)


def _step_back(flow: Flow, index: int | None, path: str, sought: Sought) -> tuple[list[int], int | None]:
    """Return the programs from `index`, which wrote `path`, back, and where it ends: maybe `UNDECIDED`."""
    steps: list[int] = []
    passed: list[tuple[int, str]] = []
    while index is not None and index != UNDECIDED and len(steps) < _DEEPEST:
        steps.append(index)
        passed.append((index, path))
        step = Step(flow, index, path, sought, passed)
        found = step.source()
        if found is None or (found[1] == SOMEHOW and found[0] in steps):
            break
        index, path = found
        steps += step.between
    return steps, index


def _trail(flow: Flow, steps: Sequence[int], index: int | None) -> Trail:
    programs = [find_driver(flow.trace, flow.program(one)) for one in reversed(steps)]
    chain = [one for number, one in enumerate(programs) if one not in programs[:number]]
    return Trail(chain[0] if chain and index != UNDECIDED else None, tuple(chain))
