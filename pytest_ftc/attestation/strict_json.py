"""JSON from outside, which may be hostile."""

from __future__ import annotations

import json
from typing import Any

from pytest_ftc.model.errors import FtcError

MOST_BYTES = 64 << 20
"""A larger document is refused unread."""


class DocumentError(FtcError):
    """A document is not what it should be."""


def parse_object(data: bytes | str, what: str) -> dict[str, Any]:
    """Return the JSON object in `data`; `what` names the document in errors.

    Names that appear twice are refused: readers disagree about which of them counts (RFC 8259 section 4).
    Raises DocumentError.
    """
    if len(data) > MOST_BYTES:
        raise DocumentError(f"{what}: larger than {MOST_BYTES >> 20} MiB")
    try:
        value = json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
        # A half of a surrogate pair, which JSON can escape, is no text (RFC 7493): it can be neither hashed nor shown.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise DocumentError(f"{what}: nested too deeply") from None
    except ValueError as error:
        raise DocumentError(f"{what}: no valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise DocumentError(f"{what}: expected a JSON object")
    return value


def field(document: dict[str, Any], name: str, kind: type, what: str) -> Any:
    """Return the field `name` of `document`, which must be of the type `kind`.  Raises DocumentError."""
    value = document.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        found = "nothing" if value is None else type(value).__name__
        raise DocumentError(f"{what}: {name}: expected {_NAMES.get(kind, kind.__name__)}, found {found}")
    return value


_NAMES = {str: "text", dict: "an object", list: "a list", int: "a whole number", bool: "true or false"}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the name {twice!r} appears twice")
    return names


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")
