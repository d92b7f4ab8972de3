"""A parameter of a variation: a field of its dataclass that a specification may set, as in ``time.offset=+30d``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")

_KEY = "parameter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """How the value of a parameter is written."""

    read: Callable[[str], Any]
    """Returns the value a text stands for, or raises ValueError."""
    expected: str
    """What the text has to be, as it reads behind "expected"."""
    many: bool = False
    """Whether the value is a tuple of what `read` returns: written with ``;`` between, changed by ``+=`` and ``-=``."""
    synonym: str = ""
    """Reprotest's name for the same, where it is another one."""
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
    """Return how the parameters of `variation` are written, by name."""
    if not is_dataclass(variation):
        return {}
    return {item.name: item.metadata[_KEY] for item in fields(variation) if _KEY in item.metadata}
