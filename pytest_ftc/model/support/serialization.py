"""Frozen dataclasses to JSON values and back."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_SCALARS: Mapping[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}
_AS_THEY_ARE = (str, int, float, bool, type(None))

Reader = Callable[[Any], Any]

_READERS: dict[Any, Reader] = {}


def to_json(value: object) -> Any:
    """Return `value` as dicts, lists and scalars that `json.dumps` takes and `from_json` reverses."""
    kind: Any = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if (names := _field_names(kind)) is not None:
        return {key: to_json(getattr(value, name)) for name, key in names}
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
    return _reader(kind)(value)  # type: ignore[no-any-return]


@cache
def _field_names(kind: type) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of a dataclass, each with its key in JSON: ``key`` of its metadata, or its name."""
    if not is_dataclass(kind):
        return None
    return tuple((field.name, field.metadata.get("key", field.name)) for field in fields(kind))


def _reader(kind: Any) -> Reader:
    """Return a reader of `kind`.  Its fields are inspected once, since there may be thousands of values to read."""
    if kind not in _READERS:
        _READERS[kind] = _make_reader(kind)
    return _READERS[kind]


def _make_reader(kind: Any) -> Reader:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _reader_of_union(get_args(kind))
    if origin is tuple:
        return _reader_of_tuple(get_args(kind))
    if origin is not None and issubclass(origin, Mapping):
        return _reader_of_mapping(_reader(get_args(kind)[1]))
    if isinstance(kind, type) and is_dataclass(kind):
        return _reader_of_dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, (Enum, Path)):
        return kind
    return _reader_of_scalar(kind)


def _reader_of_mapping(read_item: Reader) -> Reader:
    def read(value: Any) -> Any:
        _expect_mapping(value)
        return {key: read_item(item) for key, item in value.items()}

    return read


def _reader_of_dataclass(kind: type) -> Reader:
    readers: dict[str, tuple[str, Reader]] = {}

    def read(value: Any) -> Any:
        _expect_mapping(value)
        if not readers:  # only now: a kind may hold others of itself
            hints = get_type_hints(kind)
            readers.update({key: (name, _reader(hints[name])) for name, key in _field_names(kind) or ()})
        arguments = {}
        for key, item in value.items():
            name, read_item = readers[key]
            arguments[name] = read_item(item)
        return kind(**arguments)

    return read


def _reader_of_tuple(kinds: tuple[Any, ...]) -> Reader:
    readers = [_reader(kind) for kind in kinds if kind is not ...]

    def read_all(value: Any) -> Any:
        _expect_list(value)
        return tuple(map(readers[0], value))

    def read(value: Any) -> Any:
        _expect_list(value)
        if len(readers) != len(value):
            raise ValueError(f"expected {len(readers)} items, found {len(value)}")
        return tuple(read_item(item) for read_item, item in zip(readers, value, strict=True))

    return read_all if kinds[1:] == (...,) else read


def _reader_of_scalar(kind: Any) -> Reader:
    allowed = _SCALARS.get(kind)

    def read(value: Any) -> Any:
        if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool)):
            raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
        return value

    return read


def _reader_of_union(kinds: tuple[Any, ...]) -> Reader:
    sequences = [_reader(kind) for kind in kinds if get_origin(kind) is tuple]
    structured = [_reader(kind) for kind in kinds if is_dataclass(kind)]
    others = [_SCALARS.get(kind, (object,)) for kind in kinds if kind is not type(None)]

    def read(value: Any) -> Any:
        if value is None:
            return None
        if sequences and isinstance(value, list):
            return sequences[0](value)
        if structured:
            return structured[0](value)
        if not any(isinstance(value, allowed) for allowed in others):
            raise TypeError(f"expected one of {kinds}, found {type(value).__name__}")
        return value

    return read


def _expect_list(value: Any) -> None:
    # A text is a sequence of texts too.
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"expected a list, found {type(value).__name__}")


def _expect_mapping(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping, found {type(value).__name__}")
