"""What to do about a cause: the catalogue in cures.toml, by cause, kind of place and tool.

A cure that can be applied from outside (variables, a command before or after the build) is tried by rebuilding.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from pytest_ftc.model import Field

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """One entry of the catalogue.

    In its texts ``{epoch}`` and ``{output}`` stand for values of a build, ``$PWD`` for its path.
    """

    causes: frozenset[str]
    summary: str
    source: str
    """What it rests on: a specification or manual."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables to set."""
    before: str = ""
    """A shell command to run before the build."""
    after: str = ""
    """A shell command to run after it."""
    formats: frozenset[str] = frozenset()
    """Formats of the place; empty for all."""
    fields: frozenset[Field] = frozenset()
    """What differs there; empty for all."""
    tools: frozenset[str] = frozenset()
    """Commands that wrote the output; empty for all."""

    @property
    def can_be_tried(self) -> bool:
        """Whether it can be applied from outside."""
        return bool(self.settings or self.before or self.after)


@cache
def catalogue() -> tuple[Cure, ...]:
    """Return all cures, the most specific first."""
    text = files("pytest_ftc.diagnosis").joinpath("cures.toml").read_text(encoding="utf-8")
    return tuple(_read(table) for table in tomllib.loads(text)["cure"])


def _read(table: Mapping[str, Any]) -> Cure:
    sets = {name: frozenset(table.get(name, ())) for name in ("causes", "formats", "tools")}
    fields = frozenset(map(Field, table.get("fields", ())))
    return Cure(**{**table, **sets, "fields": fields})


def find_cures(cause: str, place: Field, formats: Sequence[str], tools: Sequence[str]) -> Iterator[Cure]:
    """Yield what may help against `cause` where `place` differs: what can be tried first.

    `formats` are those of the place and of what is around it, `tools` the command that wrote it and those around it.
    """
    fitting = [
        cure
        for cure in catalogue()
        if cause in cure.causes
        and (not cure.formats or cure.formats.intersection(formats))
        and (not cure.fields or place in cure.fields)
        and (not cure.tools or cure.tools.intersection(tools))
    ]
    yield from sorted(fitting, key=lambda cure: not cure.can_be_tried)
