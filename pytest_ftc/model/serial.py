"""Frozen dataclasses to JSON values and back."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_SCALARS: Mapping[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


def to_json(value: object) -> Any:
    """Return `value` as dicts, lists and scalars that `json.dumps` takes and `from_json` reverses."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[T], value: Any) -> T:
    """Return the `kind` that `to_json` wrote as `value`.

    Raises KeyError, TypeError or ValueError when `value` is not one.
    """
    return _read(kind, value)  # type: ignore[no-any-return]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), value)
    if origin is tuple:
        return _read_tuple(get_args(kind), value)
    if origin is not None and issubclass(origin, Mapping):
        _expect_mapping(value)
        return {key: _read(get_args(kind)[1], item) for key, item in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        _expect_mapping(value)
        hints = _hints(kind)
        return kind(**{key: _read(hints[key], item) for key, item in value.items()})
    if isinstance(kind, type) and issubclass(kind, (Enum, Path)):
        return kind(value)
    _expect_scalar(kind, value)
    return value


def _read_tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if kinds[1:] == (...,):
        return tuple(_read(kinds[0], item) for item in value)
    if len(kinds) != len(value):
        raise ValueError(f"expected {len(kinds)} items, found {len(value)}")
    return tuple(_read(kind, item) for kind, item in zip(kinds, value, strict=True))


def _expect_mapping(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping, found {type(value).__name__}")


def _expect_scalar(kind: Any, value: Any) -> None:
    allowed = _SCALARS.get(kind)
    if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool)):
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")


def _read_union(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    sequences = [kind for kind in kinds if get_origin(kind) is tuple]
    if sequences and isinstance(value, list):
        return _read(sequences[0], value)
    structured = [kind for kind in kinds if is_dataclass(kind)]
    if structured:
        return _read(structured[0], value)
    if not any(isinstance(value, _SCALARS.get(kind, object)) for kind in kinds if kind is not type(None)):
        raise TypeError(f"expected one of {kinds}, found {type(value).__name__}")
    return value
