"""The position of a value in a configuration file, for messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from pytest_ftc.model.errors import ConfigurationError

_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
"""The line that begins a table."""


@dataclass(frozen=True, slots=True)
class Place:
    """The file and position of a value, for messages."""

    file: str
    text: str
    table: str
    """As TOML writes it, such as ``tool.ftc.artifacts.wheel``."""

    def fail(self, key: str, problem: str, *, about: str | None = None) -> NoReturn:
        """Raise the error for the value of `key`; the message calls it `about`, or ``key:``."""
        line = find_line(self.text, self.table, key)
        words = [
            f"{self.file}:{line}:" if line else f"{self.file}:",
            f"[{self.table}]" if self.table else "",
            f"{key}:" if about is None else about,
            problem,
        ]
        raise ConfigurationError(" ".join(filter(None, words)))

    def below(self, name: str) -> Place:
        return Place(self.file, self.text, f"{self.table}.{name}" if self.table else name)


def quoted(name: str) -> str:
    """Return `name` as TOML writes it in the name of a table."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def find_line(text: str, table: str, key: str) -> int | None:
    """Return the line of `key` in `table`, or of the table if `key` is empty; None if it is ambiguous."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            current = header[1].strip()
            if current == (f"{table}.{key}" if table and key else table or key):
                return number
        elif key and current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*(?:=|\.)""", line):
            return number
    return None


def find_headers(text: str) -> dict[str, int]:
    """Return the line of each table in `text`, by the name in its brackets."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            found.setdefault(header[1].strip(), number)
    return found
