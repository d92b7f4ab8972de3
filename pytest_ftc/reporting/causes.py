"""What each cause means: for ``ftc explain``, the rules of SARIF, the HTML report and the documentation."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause, for a person who has just met it."""

    name: str
    brief: str
    """What happened, in one sentence without its full stop."""
    why: str
    """How builds come to depend on it."""
    shows: str
    """As what it shows in outputs."""
    remedies: tuple[str, ...]
    """What helps, the best first."""
    source: str
    """Where to read on."""
    tolerate: str = ""
    """How a build that breaks under it comes to tolerate it, for causes for which more can be said than that."""


@cache
def all_causes() -> tuple[Cause, ...]:
    """Return all causes that a finding may have, but for those that plugins add."""
    text = files("pytest_ftc.reporting").joinpath("causes.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)["cause"]
    return tuple(Cause(**{**table, "remedies": tuple(table["remedies"])}) for table in tables)


def find_cause(name: str) -> Cause | None:
    """Return what is known of the cause `name`."""
    return next((cause for cause in all_causes() if cause.name == name), None)
