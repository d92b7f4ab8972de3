"""Updating an entry of the baseline file without changing its comments and the order of its keys."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, cast

from pytest_ftc.reporting.baseline.entry import KEYS, Known, show_value, written_value


def revise(text: str, entry: Known) -> str:
    """Return `text`, one table of the file, updated to `entry`."""
    import tomlkit

    document = tomlkit.parse(text)
    table = cast("Any", document["known"])[0]
    for key in [key for key in table if key not in KEYS]:  # those of earlier versions
        table.pop(key)
    for key in KEYS:
        value = written_value(entry, key)
        if value is None:
            table.pop(key, None)
        elif table.get(key) != (list(value) if isinstance(value, tuple) else value):
            # tomlkit does not escape bidirectional characters in strings.
            table[key] = tomlkit.value(show_value(value))
    return tomlkit.dumps(document)


def comments_of(text: str) -> str:
    """Return all comments of `text`, one table of the file, on lines of their own."""
    import tomlkit

    above = [row.strip() for row in takewhile(lambda row: not row.lstrip().startswith("["), text.splitlines())]
    table = cast("Any", tomlkit.parse(text)["known"])[0]
    items = [item for _, item in table.value.body if not isinstance(item, tomlkit.items.Whitespace)]
    inside = [item.trivia.comment for item in items]
    return "".join(f"{one}\n" for one in (*above, table.trivia.comment, *inside) if one)
