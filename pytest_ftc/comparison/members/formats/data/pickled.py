"""Pickles, all protocols: what they would make, read as plain data (CPython's Lib/pickletools.py defines the format).

Nothing is imported or called: `pickletools.genops` only splits the stream, and objects become trees of their parts.
"""

from __future__ import annotations

import io
import pickletools
from typing import Any

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.formats.data.joblib_array import is_wrapper, take_array
from pytest_ftc.comparison.members.formats.data.pickle_machine import Machine
from pytest_ftc.comparison.members.formats.data.pickle_tree import Tree
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_LARGEST = 64 << 20
_MOST_OPERATIONS = 1_000_000
_PROTO, _NEWEST = 0x80, 5
_FRAMED = 4
"""The first protocol in which frames follow (PEP 3154)."""
_FRAME = 0x95
_CODES = frozenset(opcode.code.encode("latin-1") for opcode in pickletools.opcodes)
_EXTENSIONS = (".pkl", ".pickle", ".pck")


def is_pickle(span: Span, name: str) -> bool:
    """Return whether it begins as protocol 2 or later does, or is named so."""
    head = span.read(0, 3)
    if len(head) == 3 and head[0] == _PROTO and 2 <= head[1] <= _NEWEST:
        return head[2] == _FRAME if head[1] >= _FRAMED else head[2:] in _CODES
    return name.endswith(_EXTENSIONS) and head[:1] in _CODES


def read_pickle(span: Span, budget: Budget) -> Contents:
    """Return the values that are pickled, one pickle after the other, and the data after them.

    Raises ValueError and other exceptions for invalid data, LimitReachedError, OutOfTimeError.
    """
    if span.size > _LARGEST:
        raise LimitReachedError(f"larger than {_LARGEST} bytes")
    file = io.BytesIO(span.read(0, span.size))
    values, end = [_read_one(file, span, budget)], file.tell()
    while span.read(end, 1) == bytes([_PROTO]):
        try:
            values.append(_read_one(file, span, budget))
        except (ValueError, LookupError, ArithmeticError):
            break
        end = file.tell()
    rest = (Member(name="rest", part="data after the pickle", stored=span.part(end, span.size - end)),)
    return Contents(
        format=FileFormat.DATA,
        noun="pickle",
        values=values[0] if len(values) == 1 else values,
        members=rest if end < span.size else (),
        recoded="pickle operations (the protocol, or which values were shared when it was written)",
    )


def _read_one(file: io.BytesIO, span: Span, budget: Budget) -> Any:
    machine = Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if count > _MOST_OPERATIONS:
            raise LimitReachedError(f"more than {_MOST_OPERATIONS} operations")
        if not count % 1000:
            budget.check_time()
        machine.run(opcode.name, argument)
        if opcode.name == "BUILD" and is_wrapper(machine.top):
            take_array(machine.top, file, span)
    return Tree(budget).of(machine.result)
