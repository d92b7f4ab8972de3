"""What to do about a cause: the catalogue in cures.toml, by cause, kind of place and tool.

A cure that can be applied from outside (variables, a command before or after the build) is tried by rebuilding.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from pytest_ftc.model import Cure, Field

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@cache
def catalogue() -> tuple[Cure, ...]:
    """Return all cures, the most specific first."""
    text = files("pytest_ftc.diagnosis").joinpath("cures.toml").read_text(encoding="utf-8")
    return tuple(_read(table) for table in tomllib.loads(text)["cure"])


def _read(table: Mapping[str, Any]) -> Cure:
    sets = {name: frozenset(table.get(name, ())) for name in ("causes", "formats", "tools")}
    fields = frozenset(map(Field, table.get("fields", ())))
    return Cure(**{**table, **sets, "fields": fields})


def find_cures(
    cause: str, place: Field, formats: Sequence[str], tools: Sequence[str], others: Sequence[Cure] = ()
) -> Iterator[Cure]:
    """Yield what may help against `cause` where `place` differs: what can be tried first.

    Those of the catalogue come after the `others`.  `formats` are that of the place and those around it,
    `tools` the command that wrote it and those around it.
    """
    fitting = [
        cure
        for cure in (*others, *catalogue())
        if cause in cure.causes
        # What changes header fields changes those of one format; what is around the place does not matter.
        and (not cure.formats or cure.formats.intersection(formats[:1] if cure.fields else formats))
        and (not cure.fields or place in cure.fields)
        and (not cure.tools or cure.tools.intersection(tools))
    ]
    yield from sorted(fitting, key=lambda cure: not cure.can_be_tried)
