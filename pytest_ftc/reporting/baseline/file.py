"""Reading the baseline file: manual edits are kept, and errors name their line."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.model.support.toml import tomllib
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.reporting.baseline import earlier
from pytest_ftc.reporting.baseline.baseline import HEAD, Baseline
from pytest_ftc.reporting.baseline.earlier import Entry, is_earlier, merge
from pytest_ftc.reporting.baseline.entry import KEYS, REQUIRED, Key, Known

_HEADER = re.compile(r"\s*\[\[\s*known\s*\]\]\s*(#.*)?$")


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines of one entry."""

    line: int
    """Line of its header, from 1."""
    text: str
    """Its text, including the comments above it."""


def load_baseline(path: Path) -> Baseline:
    """Read the baseline from the file `path`.  Raises ConfigurationError."""
    text, tables = _parse(path)
    known = tables.get("known", [])
    for key in tables:
        if key != "known" or not isinstance(known, list):
            line = next((number for number, row in enumerate(text.split("\n"), 1) if key in row), 1)
            raise ConfigurationError(f"{path.name}:{line}: expected tables [[known]] and nothing else, found {key!r}")
    head, parts = _split(text)
    plain = len(parts) == len(known)
    lines = [part.line for part in parts] if plain else [0] * len(known)
    entries = []
    for number, (line, table) in enumerate(zip(lines, known, strict=True), start=1):
        entry = _Reader(path.name, text, line, number).read(table)
        # Rewrite a text that does not parse to the same entry in isolation, such as a multi-line string with [[known]].
        kept = parts[number - 1].text if plain and _says(parts[number - 1].text, table) else ""
        entries.append(Entry(entry, line, kept, is_earlier(table)))
    _reject_twins(path.name, known, lines)
    merged = merge(entries)
    _reject_equals(path.name, merged)
    texts = {entry.known.key: entry.text for entry in merged if entry.text}
    return Baseline((entry.known for entry in merged), head=head if plain else HEAD, texts=texts)


def _parse(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"baseline: {path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        parsed = re.match(r"(.*?)(?: \(at (?:line (\d+), column \d+|end of document)\))?$", str(error), re.DOTALL)
        assert parsed is not None
        line = parsed[2] or text.rstrip("\n").count("\n") + 1
        raise ConfigurationError(f"{path.name}:{line}: not valid TOML: {parsed[1]}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path.name}: not valid TOML: {error}") from error


def _split(text: str) -> tuple[str, list[_Part]]:
    """Return the text above the first entry, and the entries, each with the comments directly above it."""
    rows = text.split("\n")
    starts = [number for number, row in enumerate(rows) if _HEADER.match(row)]
    tops = [_top(rows, start) for start in starts]
    ends = [*tops[1:], len(rows)] if tops else []
    parts = [
        _Part(start + 1, "\n".join(rows[top:end]).strip("\n") + "\n")
        for start, top, end in zip(starts, tops, ends, strict=True)
    ]
    head = "\n".join(rows[: tops[0]] if tops else rows).strip("\n")
    return f"{head}\n" if head else HEAD, parts


def _top(rows: list[str], start: int) -> int:
    while start and rows[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _says(text: str, table: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == {"known": [table]}
    except tomllib.TOMLDecodeError:
        return False


def _reject_twins(file: str, tables: list[dict[str, Any]], lines: list[int]) -> None:
    seen: dict[str, int] = {}
    for table, line in zip(tables, lines, strict=True):
        name = table.get("fingerprint")
        if not isinstance(name, str):
            continue
        if name in seen:
            raise ConfigurationError(f"{file}:{line}: fingerprint {name!r} is duplicated, first in line {seen[name]}")
        seen[name] = line


def _reject_equals(file: str, entries: list[Entry]) -> None:
    seen: dict[Key, int] = {}
    for entry in entries:
        key = entry.known.key
        if key in seen:
            raise ConfigurationError(
                f"{file}:{entry.line}: artifact {key[0]!r}, place {key[1]!r} and cause {key[2]!r} are duplicated, "
                f"first in line {seen[key]}"
            )
        seen[key] = entry.line


@dataclass(frozen=True, slots=True)
class _Reader:
    """Validates one table."""

    file: str
    text: str
    line: int
    """Line of its header; 0 if unknown."""
    number: int

    def read(self, table: Any) -> Known:
        if not isinstance(table, dict):
            self._fail("", f"expected a table, found {table!r}")
        for key, value in table.items():
            if key not in (*KEYS, *earlier.KEYS):
                self._fail(key, f"unknown key {key!r}{did_you_mean(key, KEYS)}  Valid keys: {', '.join(KEYS)}")
            self._check(key, value)
        for key in earlier.REQUIRED if is_earlier(table) else REQUIRED:
            if key not in table or not (table[key] or key in ("output", "location", "place")):
                self._fail("", f"key {key!r} is missing; --ftc-update-baseline writes it")
        modes = {"diagnose": DiagnosisMode(table["diagnose"])} if "diagnose" in table else {}
        outputs = {"outputs": tuple(table["outputs"])} if "outputs" in table else {}
        return Known(**{**(earlier.translate(table) if is_earlier(table) else table), **modes, **outputs})

    def _check(self, key: str, value: object) -> None:
        if key == "expires":
            if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
                self._fail(key, f"expires: expected a date such as 2027-01-31 (without quotes), found {value!r}")
        elif key in ("confirmed", "numbered"):
            if not isinstance(value, bool):
                self._fail(key, f"{key}: expected true or false, found {value!r}")
        elif key == "diagnose":
            if value not in list(DiagnosisMode):
                self._fail(key, f"diagnose: expected 'off', 'fast' or 'full', found {value!r}")
        elif key == "count":
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                self._fail(key, f"count: expected a number of places, 1 or more, found {value!r}")
        elif key == "outputs":
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                self._fail(key, f"outputs: expected a list of names, found {value!r}")
        elif not isinstance(value, str):
            self._fail(key, f"{key}: expected text, found {value!r}")

    def _fail(self, key: str, problem: str) -> NoReturn:
        line = next(self._lines_of(key), self.line)
        where = f"{self.file}:{line}:" if line else f"{self.file}:"
        raise ConfigurationError(f"{where} [[known]] number {self.number}: {problem}")

    def _lines_of(self, key: str) -> Iterator[int]:
        if key and self.line:
            for number, row in enumerate(self.text.split("\n")[self.line :], self.line + 1):
                if _HEADER.match(row):
                    return
                if re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", row):
                    yield number
