"""Descriptions of the causes, for ``ftc explain``, SARIF rules, the HTML report and the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pytest_ftc.model.support.toml import tomllib


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The description of one cause, for a reader who has never met it."""

    name: str
    brief: str
    """What happened: one sentence without a full stop."""
    why: str
    """Why builds depend on it."""
    shows: str
    """What it looks like in outputs."""
    remedies: tuple[str, ...]
    """Remedies, best first."""
    source: str
    """URL of further reading."""
    tolerate: str = ""
    """How to make a build tolerate the variation, if there is specific advice."""


@cache
def all_causes() -> tuple[Cause, ...]:
    """Return all built-in causes; plugins may add others."""
    text = files("pytest_ftc.reporting").joinpath("causes.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)["cause"]
    return tuple(Cause(**{**table, "remedies": tuple(table["remedies"])}) for table in tables)


def find_cause(name: str) -> Cause | None:
    """Return the description of the cause `name`, or None."""
    return next((cause for cause in all_causes() if cause.name == name), None)
