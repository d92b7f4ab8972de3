"""What a pickle makes, as a tree of plain values."""

from __future__ import annotations

import datetime
import posixpath
from typing import Any

from pytest_ftc.comparison.members.formats.data.pickle_machine import Name, Thing
from pytest_ftc.comparison.members.formats.data.pickled_array import read_array, read_encoded
from pytest_ftc.comparison.members.limits import Budget

_DEEPEST = 100
_WIDEST = 4096
"""Bits of a number that is shown in decimal: converting a huge one takes quadratic time."""
_COLLECTIONS = ("list", "tuple", "set")
_SETS = tuple(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("set", "frozenset"))
"""How sets are made before protocol 4 (PEP 3154)."""
_DATES = {"datetime.datetime": 10, "datetime.date": 4}
"""Bytes of the argument of these classes (`__reduce__` in CPython's Lib/_pydatetime.py)."""


class Tree:
    """Makes a tree.  Each thing is told once: the tree has no circles, and is not larger than the pickle."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._seen: dict[int, str] = {}
        """The paths of the things that were told, by their identity."""

    def of(self, value: Any, path: str = "", depth: int = 0) -> Any:
        """Return a value of the machine as a tree.  Raises ValueError, OutOfTimeError."""
        if isinstance(value, Name):
            return value.text
        if not isinstance(value, Thing):
            return _leaf(value)
        if depth > _DEEPEST:
            raise ValueError("values nested too deeply")
        self._budget.check_time()
        if id(value) in self._seen:
            return f"the same as {self._seen[id(value)] or 'all of it'}"
        self._seen[id(value)] = path
        if value.kind in _SETS and value.arguments and isinstance(value.arguments[0], Thing):
            return self._list(value.arguments[0].items, path, depth)
        if value.kind in _COLLECTIONS:
            return self._list(value.items, path, depth)
        if value.kind == "dict":
            return self._pairs(value.pairs, path, depth)
        return self._object(value, path, depth)

    def _list(self, items: list[Any], path: str, depth: int) -> list[Any]:
        return [self.of(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(items)]

    def _pairs(self, pairs: list[tuple[Any, Any]], path: str, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            name = self._key(key)
            name = f"{name} ({len(made)})" if name in made else name
            made[name] = self.of(value, f"{path}.{name}"[:1000], depth + 1)
        return made

    def _key(self, key: Any) -> str:
        if isinstance(key, Thing) and key.kind == "tuple":
            shown = ("…" if isinstance(item, Thing) else str(_leaf(item))[:100] for item in key.items[:8])
            return f"({', '.join(shown)})"
        return key.kind if isinstance(key, Thing) else key.text if isinstance(key, Name) else str(_leaf(key))[:1000]

    def _object(self, thing: Thing, path: str, depth: int) -> Any:
        given = thing.arguments or []
        if (array := read_array(thing)) is not None:
            return array
        if (data := read_encoded(thing)) is not thing:
            return data
        made: dict[str, Any] = {"__class__": thing.kind}
        if given:
            shown = self._list(given, f"{path}.__args__", depth)
            made["__args__"] = _read_standard(thing.kind, shown)
        if thing.items:
            made["__items__"] = self._list(thing.items, f"{path}.__items__", depth)
        pairs = list(thing.pairs)
        state = thing.state
        if isinstance(state, Thing) and state.kind == "dict" and id(state) not in self._seen:
            pairs += state.pairs
        elif state is not None:
            made["__state__"] = self.of(state, f"{path}.__state__", depth + 1)
        return {**made, **self._pairs(pairs, path, depth)}


def _leaf(value: Any) -> Any:
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, int) and value.bit_length() > _WIDEST:
        return hex(value)
    return value


def _read_standard(kind: str, given: list[Any]) -> list[Any]:
    """Return what a class of the standard library is made with: paths and times as one readable text."""
    if kind.startswith("pathlib.") and all(isinstance(each, str) for each in given):
        return [posixpath.join(*given)]
    return [_read_date(kind, given[0]), *given[1:]]


def _read_date(kind: str, value: Any) -> Any:
    """Return the time that a class of `datetime` is made with; anything else as it is."""
    if not isinstance(value, bytes) or len(value) != _DATES.get(kind):
        return value
    try:
        # The highest bit of the month says which of two equal local times it is (PEP 495).
        date = (int.from_bytes(value[:2], "big"), value[2] & 0x7F, value[3])
        if kind == "datetime.date":
            return datetime.date(*date).isoformat()
        hour, minute, second = value[4:7]
        return datetime.datetime(*date, hour, minute, second, int.from_bytes(value[7:], "big")).isoformat()
    except ValueError:
        return value
