"""What to do about a cause: the catalogue in remedies.toml, by cause, kind of place and tool.

A remedy that can be applied from outside (variables, a command before or after the build) is tried by rebuilding.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from pytest_ftc.model import Cause, Field, RemedyTemplate
from pytest_ftc.model.place import FileFormat

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@cache
def catalogue() -> tuple[RemedyTemplate, ...]:
    """Return all remedies, the most specific first."""
    text = files("pytest_ftc.diagnosis").joinpath("remedies.toml").read_text(encoding="utf-8")
    return tuple(_read(table) for table in tomllib.loads(text)["remedy"])


def _read(table: Mapping[str, Any]) -> RemedyTemplate:
    kinds = {"causes": Cause, "formats": FileFormat, "fields": Field, "tools": str}
    return RemedyTemplate(**{**table, **{key: frozenset(map(kind, table.get(key, ()))) for key, kind in kinds.items()}})


def find_remedies(
    cause: str, place: Field, formats: Sequence[str], tools: Sequence[str], others: Sequence[RemedyTemplate] = ()
) -> Iterator[RemedyTemplate]:
    """Yield what may help against `cause` where `place` differs: what can be tried first.

    Those of the catalogue come after the `others`.  `formats` are that of the place and those around it,
    `tools` the command that wrote it and those around it.
    """
    fitting = [
        template
        for template in (*others, *catalogue())
        if cause in template.causes
        # What changes header fields changes those of one format; what is around the place does not matter.
        and (not template.formats or template.formats.intersection(formats[:1] if template.fields else formats))
        and (not template.fields or place in template.fields)
        and (not template.tools or template.tools.intersection(tools))
    ]
    yield from sorted(fitting, key=lambda template: not template.can_be_tried)
