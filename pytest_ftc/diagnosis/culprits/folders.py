"""Who made the folder whose random name is in a value."""

from __future__ import annotations

from collections.abc import Sequence
from posixpath import dirname

from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles
from pytest_ftc.model import Program


def find_maker_of_folder(flow: Flow, needles: Needles) -> int | None:
    """Return who first wrote a file below a folder with the value in its name; None if nobody did.

    A program that was given that folder, or was started in it, has the name from who started it.
    """
    for tier in needles.tiers:
        names = [name for text in tier if (name := text.strip("/"))]
        for index, path in flow.trace.written:
            if index >= 0 and _is_in(names, dirname(path)):
                return _who_named(flow, index, names)
    return None


def _who_named(flow: Flow, index: int, names: Sequence[str]) -> int:
    while (above := flow.program(index).parent) >= 0 and _was_told(flow.program(index), names):
        index = above
    return index


def _was_told(program: Program, names: Sequence[str]) -> bool:
    return any(_is_in(names, text) for text in (program.folder, *program.argv))


def _is_in(names: Sequence[str], text: str) -> bool:
    return any(name in text for name in names)
