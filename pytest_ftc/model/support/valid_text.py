"""Text that is valid Unicode, for JSON documents: names of files may hold any bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def valid_text(text: str) -> str:
    """Return `text` with undecodable bytes of file names (PEP 383) as ``\\xff``."""
    if text.isascii():
        return text
    escaped = "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text)
    return escaped.encode("utf-8", "backslashreplace").decode()


def valid_values(value: Any) -> Any:
    """Return JSON values with all their texts, names included, as `valid_text`."""
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, Mapping):
        return {valid_values(key): valid_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [valid_values(item) for item in value]
    return value
