"""A parameter of a variation: a field of its dataclass that a specification may set, as in ``time.offset=+30d``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")

_KEY = "parameter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """The syntax of a parameter's value."""

    read: Callable[[str], Any]
    """Parses a text and returns the value, or raises ValueError."""
    expected: str
    """What the text must be; completes "expected ..."."""
    many: bool = False
    """Whether the value is a tuple of what `read` returns: written with ``;`` between, changed by ``+=`` and ``-=``."""
    synonym: str = ""
    """Reprotest's name for it, if different."""
    meaning: str = ""
    """Markdown, for the documentation."""
    written: str = ""
    """The default as a specification writes it, or in words."""


def parameter(
    default: T,
    read: Callable[[str], Any],
    expected: str,
    *,
    many: bool = False,
    synonym: str = "",
    meaning: str = "",
    written: str = "",
) -> T:
    """Return the field of a variation's dataclass that is a parameter."""
    how = Parameter(read=read, expected=expected, many=many, synonym=synonym, meaning=meaning, written=written)
    return field(default=default, metadata={_KEY: how})


def parameters_of(variation: object) -> dict[str, Parameter]:
    """Return the syntax of each parameter of `variation`, by name."""
    if not is_dataclass(variation):
        return {}
    return {item.name: item.metadata[_KEY] for item in fields(variation) if _KEY in item.metadata}
