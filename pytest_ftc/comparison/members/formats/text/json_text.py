"""JSON: the paths of the values that differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_ftc.comparison.likeness import Named, draw, pair_alike
from pytest_ftc.comparison.members.formats.text.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field

_LARGEST = 4 << 20
_ABSENT = object()


def compare_json(one: Span, other: Span, budget: Budget) -> tuple[Found, ...]:
    """Return the first values that differ; nothing if it is not JSON, or neither values nor order differ."""
    if max(one.size, other.size) > _LARGEST or one.read(0, 1) not in (b"{", b"[") or other.read(0, 1) != one.read(0, 1):
        return ()
    try:
        control, experiment = (json.loads(span.read(0, span.size)) for span in (one, other))
        return choose(_compare(control, experiment, "", budget), "key", budget)
    except (ValueError, RecursionError):
        return ()


def _compare(one: Any, other: Any, path: str, budget: Budget) -> Iterator[Found]:
    budget.check_time()
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _compare_objects(one, other, path, budget)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _compare_arrays(one, other, path, budget)
    elif type(one) is not type(other) or _dump(one) != _dump(other):
        yield Found(Field.CONTENT, f"key {path}" if path else "the value", _dump(one), _dump(other))


def _compare_objects(one: dict[str, Any], other: dict[str, Any], path: str, budget: Budget) -> Iterator[Found]:
    common = [key for key in one if key in other]
    theirs = [key for key in other if key in one]
    if common != theirs:
        location = f"order of keys in {path}" if path else "order of keys"
        yield Found(Field.ORDER, location, _names(common), _names(theirs))
    renamed = _pair_keys(one, other)
    for key in dict.fromkeys([*one, *other]):
        inner = f"{path}.{key}" if path else key
        if key in renamed:
            yield Found(Field.NAME, f"name of key {inner}", _names([key]).strip(), _names([renamed[key]]).strip())
        if key not in renamed.values():
            yield from _compare(one.get(key, _ABSENT), other.get(renamed.get(key, key), _ABSENT), inner, budget)


def _pair_keys(one: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    """Return the names in `other` of keys of `one` that hold a digest or a random word."""
    ours, theirs = (
        [Named(key, dump) for key, value in values.items() if key not in others for dump in [_dump(value)]]
        for values, others in ((one, other), (other, one))
    )
    pairs = pair_alike(ours, theirs, lambda value: draw(len(value), value)) if ours and theirs else []
    return {own.name: their.name for own, their in pairs}


def _compare_arrays(one: list[Any], other: list[Any], path: str, budget: Budget) -> Iterator[Found]:
    control, experiment = [_dump(value) for value in one], [_dump(value) for value in other]
    if control != experiment and sorted(control) == sorted(experiment):
        location = f"order of {path}" if path else "order of the array"
        yield Found(Field.ORDER, location, b"\n".join(control), b"\n".join(experiment))
        return
    for index in range(max(len(one), len(other))):
        left, right = (values[index] if index < len(values) else _ABSENT for values in (one, other))
        yield from _compare(left, right, f"{path}[{index}]", budget)


def _dump(value: Any) -> bytes:
    return b"" if value is _ABSENT else json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")


def _names(names: list[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode(errors="surrogatepass")
