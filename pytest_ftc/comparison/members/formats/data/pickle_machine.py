"""The machine that a pickle is a program for, on plain data (CPython's Lib/pickletools.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_MOST = 300_000
"""Collections and objects in one pickle: each takes several hundred bytes."""


@dataclass(slots=True, eq=False)
class Thing:
    """A collection or an object: what it was made of."""

    kind: str
    """``list``, ``dict``, ``tuple``, ``set``, or the name of the class or function that makes it."""
    items: list[Any] = field(default_factory=list)
    pairs: list[tuple[Any, Any]] = field(default_factory=list)
    arguments: list[Any] | None = None
    """What it is made with, for an object."""
    state: Any = None


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function."""

    text: str


class Machine:
    """Runs one pickle.  Raises ValueError or IndexError for an invalid one."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._count = 0
        self.result: Any = None

    def run(self, name: str, argument: Any) -> None:
        """Execute one operation, by its name in pickletools."""
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _COLLECTIONS:
            kind, count = _COLLECTIONS[name]
            self._push_collection(kind, self._above() if count is None else self._take(count))
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        elif name not in _IGNORED:
            # All others push their argument.
            self._stack.append(argument)

    @property
    def top(self) -> Any:
        """The value on the top of the stack."""
        return self._stack[-1]

    def _take(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise ValueError("it takes more values than there are")
        taken = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return taken

    def _above(self) -> list[Any]:
        """Take the values above the last mark."""
        taken, self._stack = self._stack, self._marks.pop()
        return taken

    def _push_collection(self, kind: str, items: list[Any]) -> None:
        self._push(Thing(kind, pairs=_pairs(items)) if kind == "dict" else Thing(kind, items))

    def _push(self, thing: Thing) -> None:
        self._count += 1
        if self._count > _MOST:
            raise ValueError(f"more than {_MOST} collections and objects")
        self._stack.append(thing)

    def _top(self) -> Thing:
        top = self._stack[-1]
        if not isinstance(top, Thing):
            raise ValueError("a part for a value that has none")
        return top

    def _mark(self, _: Any) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _append(self, items: list[Any]) -> None:
        self._top().items += items

    def _set(self, items: list[Any]) -> None:
        self._top().pairs += _pairs(items)

    def _memoize(self, index: int | None) -> None:
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def _recall(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def _make(self, maker: Any, arguments: Any) -> None:
        given = arguments.items if isinstance(arguments, Thing) else [arguments]
        self._push(Thing(maker.text if isinstance(maker, Name) else "", arguments=given))

    def _build(self, _: Any) -> None:
        (state,) = self._take(1)
        self._top().state = state

    def _name(self, argument: str) -> None:
        self._stack.append(Name(argument.replace(" ", ".")))

    def _name_of_two(self, _: Any) -> None:
        self._stack.append(Name(".".join(map(str, self._take(2)))))

    def _instance(self, argument: str) -> None:
        self._make(Name(argument.replace(" ", ".")), Thing("tuple", self._above()))

    def _object(self, _: Any) -> None:
        maker, *arguments = self._above()
        self._make(maker, Thing("tuple", arguments))

    def _make_with_keywords(self, _: Any) -> None:
        maker, arguments, keywords = self._take(3)
        self._make(maker, arguments)
        self._top().items = [keywords]

    def _persistent(self, argument: Any) -> None:
        self._push(Thing("persistent", arguments=[argument]))

    def _stop(self, _: Any) -> None:
        (self.result,) = self._take(1)


def _pairs(items: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(items[::2], items[1::2], strict=True))


_CONSTANTS: Mapping[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_COLLECTIONS: Mapping[str, tuple[str, int | None]] = {
    "EMPTY_LIST": ("list", 0), "EMPTY_DICT": ("dict", 0), "EMPTY_SET": ("set", 0), "EMPTY_TUPLE": ("tuple", 0),
    "TUPLE1": ("tuple", 1), "TUPLE2": ("tuple", 2), "TUPLE3": ("tuple", 3),
    "LIST": ("list", None), "DICT": ("dict", None), "TUPLE": ("tuple", None), "FROZENSET": ("set", None),
}  # fmt: skip
"""The kind of collection, and how many items it takes; None for those above the last mark."""
_IGNORED = frozenset({"PROTO", "FRAME", "READONLY_BUFFER"})
_OPERATIONS: Mapping[str, Callable[[Machine, Any], Any]] = {
    "MARK": Machine._mark,
    "APPEND": lambda machine, _: machine._append(machine._take(1)),
    "APPENDS": lambda machine, _: machine._append(machine._above()),
    "ADDITEMS": lambda machine, _: machine._append(machine._above()),
    "SETITEM": lambda machine, _: machine._set(machine._take(2)),
    "SETITEMS": lambda machine, _: machine._set(machine._above()),
    "POP": lambda machine, _: machine._take(1) if machine._stack else machine._above(),
    "POP_MARK": lambda machine, _: machine._above(),
    "DUP": lambda machine, _: machine._stack.append(machine._stack[-1]),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine._memoize),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine._recall),
    "GLOBAL": Machine._name,
    "STACK_GLOBAL": Machine._name_of_two,
    "INST": Machine._instance,
    "OBJ": Machine._object,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda machine, _: machine._make(*machine._take(2))),
    "NEWOBJ_EX": Machine._make_with_keywords,
    "BUILD": Machine._build,
    "PERSID": Machine._persistent,
    "BINPERSID": lambda machine, _: machine._persistent(machine._take(1)[0]),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), lambda machine, code: machine._stack.append(Name(f"extension {code}"))),
    "NEXT_BUFFER": lambda machine, _: machine._push(Thing("buffer", arguments=[])),
    "STOP": Machine._stop,
}
