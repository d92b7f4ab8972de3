"""Reading a table of the session's configuration: its keys, and values of the types that many of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftc.config.file import show
from pytest_ftc.config.location import Place, find_headers
from pytest_ftc.model.support.suggestion import did_you_mean


class UnexpectedError(Exception):
    """A value is invalid; the text says what was expected."""


def find_table(place: Place, tables: Mapping[str, Any], name: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """Return the table `name` of `tables`, None if there is none.

    Raises ConfigurationError if it is no table, or has a key that is none of `keys`.
    """
    if name not in tables:
        return None
    table = tables[name]
    if not isinstance(table, dict):
        place.fail(name, f"expected a table, found {show(table)}")
    reject_unknown(place.below(name), table, keys)
    return table


def reject_long_headers(place: Place, tables: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for a table of `ftc.toml` that is named as in pyproject.toml."""
    tool = tables.get("tool")
    if place.table or not isinstance(tool, dict) or "ftc" not in tool:
        return
    long = next((header for header in find_headers(place.text) if header.startswith("tool.ftc")), "tool.ftc")
    short = long.removeprefix("tool.ftc").lstrip(".")
    advice = f"write [{short}], without tool.ftc" if short else "leave this line out: the keys stand at the top"
    place.fail(long, f"[{long}]: {advice}", about="")


def reject_unknown(place: Place, table: Mapping[str, Any], valid: Sequence[str]) -> None:
    """Raise ConfigurationError for a key of `table` that is not `valid`."""
    for key in table:
        if key not in valid:
            hint = did_you_mean(key, valid)
            place.fail(key, f"unknown key {key!r}{hint}  Valid keys: {', '.join(valid)}", about="")


def read_text(place: Place, table: Mapping[str, Any], key: str) -> str:
    """Return the text `key` of `table`, empty if it is absent.  Raises ConfigurationError."""
    text = table.get(key, "")
    if not isinstance(text, str) or not text.isprintable() or (key in table and not text.strip()):
        place.fail(key, f"expected non-empty text on one line, found {show(text)}")
    return text


def read_flag(place: Place, table: Mapping[str, Any], key: str) -> bool:
    """Return the flag `key` of `table`, False if it is absent.  Raises ConfigurationError."""
    flag = table.get(key, False)
    if not isinstance(flag, bool):
        place.fail(key, f"expected true or false, found {show(flag)}")
    return flag
