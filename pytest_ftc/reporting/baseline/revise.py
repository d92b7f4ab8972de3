"""Updating an entry of the baseline file without changing its comments and the order of its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pytest_ftc.reporting.baseline.entry import KEYS, Known, quote, written_value

if TYPE_CHECKING:
    from tomlkit.items import Item


def revise(text: str, entry: Known) -> str:
    """Return `text`, one table of the file, updated to `entry`."""
    import tomlkit

    document = tomlkit.parse(text)
    table = cast("Any", document["known"])[0]
    for key in KEYS:
        value = written_value(entry, key)
        if value is None:
            table.pop(key, None)
        elif table.get(key) != value:
            table[key] = _item(value)
    return tomlkit.dumps(document)


def _item(value: object) -> Item:
    import tomlkit

    # tomlkit does not escape bidirectional characters in strings.
    return tomlkit.value(quote(value)) if isinstance(value, str) else tomlkit.item(value)
