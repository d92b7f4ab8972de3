"""Adding keys to the table of an artifact in pyproject.toml or ftc.toml."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.toml import tomllib

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item

Keys = Mapping[str, "str | Mapping[str, str]"]
"""What to set: texts by key, and tables of texts."""


def name_table(path: Sequence[str]) -> str:
    """Return the name of the table at `path` as TOML writes it between brackets."""
    return ".".join(one if re.fullmatch(r"[A-Za-z0-9_-]+", one) else quote(one) for one in path)


def quote(text: str) -> str:
    """Return `text` as a TOML string on one line."""
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in shown)


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def write_text(text: str) -> str:
    """Return `text` as a TOML string, with its lines if it has several."""
    literal = "\n" in text and "'''" not in text and not text.endswith("'")
    if literal and all(one.isprintable() for one in text.split("\n")):
        return f"'''\n{text}'''"
    return quote(text)


def render_table(path: Sequence[str], keys: Keys) -> str:
    """Return `keys` as the table at `path`, with the tables below it."""
    texts = [f"{name_table([key])} = {write_text(value)}\n" for key, value in keys.items() if isinstance(value, str)]
    tables = [render_table((*path, key), value) for key, value in keys.items() if not isinstance(value, str)]
    head = [f"[{name_table(path)}]\n"] if texts else []
    return "".join(head + texts) + ("\n" if texts and tables else "") + "\n".join(tables)


def edit_table(text: str, path: Sequence[str], keys: Keys) -> str:
    """Return the TOML document `text` with `keys` set in the table at `path`, which is created if it is not there.

    All else stays as it is written.  Raises ConfigurationError if the table cannot be extended.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    windows = "\r\n" in text and "\n" not in text.replace("\r\n", "")
    plain = text.removeprefix(mark).replace("\r\n", "\n") if windows else text.removeprefix(mark)
    new = _edit(plain, path, keys)
    return mark + (new.replace("\n", "\r\n") if windows else new)


def _edit(text: str, path: Sequence[str], keys: Keys) -> str:
    # tomllib rejects \r\n in the text that it is given.
    before = tomllib.loads(text.replace("\r\n", "\n"))
    expected = copy.deepcopy(before)
    table: Any = expected
    for one in path:
        table = table.setdefault(one, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise _refusal(path, "it is no table")
    for key, value in keys.items():
        if not isinstance(value, str) and not isinstance(table.get(key, {}), dict):
            raise _refusal(path, f"its {key} is no table")
        table[key] = value if isinstance(value, str) else {**table.get(key, {}), **value}
    if expected == before:
        return text
    try:
        new = _extend(text, path, keys) if _holds(before, path) else _append(text, path, keys)
        written = tomllib.loads(new.replace("\r\n", "\n"))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise _refusal(path, "its form does not allow more keys") from error
    if written != expected:
        raise _refusal(path, "its form does not allow more keys")
    return new


def _refusal(path: Sequence[str], why: str) -> ConfigurationError:
    return ConfigurationError(f"[{name_table(path)}] cannot be extended: {why}; add the keys by hand")


def _holds(document: Mapping[str, Any], path: Sequence[str]) -> bool:
    for one in path:
        if one not in document:
            return False
        document = document[one]
    return True


def _append(text: str, path: Sequence[str], keys: Keys) -> str:
    begin = text if not text or text.endswith("\n") else f"{text}\n"
    gap = "\n" if begin.strip() and not begin.endswith("\n\n") else ""
    return f"{begin}{gap}{render_table(path, keys)}"


def _extend(text: str, path: Sequence[str], keys: Keys) -> str:
    for key, value in keys.items():
        if isinstance(value, str):
            text = _set_text(text, path, key, write_text(value))
        elif _holds(tomllib.loads(text.replace("\r\n", "\n")), (*path, key)):
            for name, item in value.items():
                text = _set_text(text, (*path, key), name, quote(item))
        else:
            text = _add_table(text, path, key, value)
    return text


def _set_text(text: str, path: Sequence[str], key: str, written: str) -> str:
    import tomlkit

    document, table = _open(text, path)
    value = tomlkit.value(written)
    if key not in table:
        _add(table, key, value)
    elif table[key] != value:
        table[key] = value
    return tomlkit.dumps(document)


def _add_table(text: str, path: Sequence[str], key: str, values: Mapping[str, str]) -> str:
    import tomlkit

    document, table = _open(text, path)
    new: Any = tomlkit.table() if _is_standard(table) else tomlkit.inline_table()
    for name, value in values.items():
        new.append(tomlkit.key(name), tomlkit.value(quote(value)))
    if _is_standard(table):
        new.trivia.indent = "\n"
    _add(table, key, new)
    return tomlkit.dumps(document)


def _open(text: str, path: Sequence[str]) -> tuple[TOMLDocument, Any]:
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for one in path:
        table = table[one]
    return document, table


def _is_standard(table: object) -> bool:
    from tomlkit.items import Table

    return isinstance(table, Table)


def _add(table: Any, key: str, value: Item) -> None:
    """Add `key` behind the others, for which `table` is read once: its order is no longer that of tomlkit's index."""
    if not _is_standard(table):
        table[key] = value
        return
    body = table.value.body
    known = {id(item): item.trivia.indent if _is_standard(item) else "" for _, item in body}
    table.append(key, value)
    place = next(number for number, (one, _) in enumerate(body) if one is not None and one.key == key)
    # tomlkit adds blank lines of its own.
    body[:] = [entry for number, entry in enumerate(body) if number == place or id(entry[1]) in known]
    for _, item in body:
        if _is_standard(item) and id(item) in known:
            item.trivia.indent = known[id(item)]
    place = next(number for number, (one, _) in enumerate(body) if one is not None and one.key == key)
    first = place
    while first and body[first - 1][0] is None:
        first -= 1
    # From the first blank line on, comments are about the next table.
    blank = next((number for number in range(first, place) if not body[number][1].as_string().strip()), place)
    body.insert(blank, body.pop(place))
