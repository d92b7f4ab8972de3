"""The names of months that date(1) prints, by language: month_names.toml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pytest_ftc.model.support.toml import tomllib

Name = tuple[str, int]
"""A language, and the number of the month, from 1."""


@cache
def month_names() -> dict[bytes, tuple[Name, ...]]:
    """Return the meanings of each name of a month, without its final dot."""
    text = files("pytest_ftc.diagnosis.canaries.timestamps").joinpath("month_names.toml").read_text(encoding="utf-8")
    names: dict[bytes, tuple[Name, ...]] = {}
    for language, rows in tomllib.loads(text).items():
        for row in rows:
            for number, word in enumerate(row.split(), start=1):
                for spelling in dict.fromkeys((word, word.capitalize(), word.upper())):
                    key = spelling.rstrip(".").encode()
                    names[key] = (*names.get(key, ()), (language, number))
    return names


def languages_of(month: bytes) -> frozenset[str]:
    """Return the languages in which a month has this name."""
    return frozenset(language for language, _ in month_names().get(month, ()))
