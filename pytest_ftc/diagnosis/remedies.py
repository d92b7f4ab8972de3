"""Remedies: the catalogue in remedies.toml, selected by cause, field, format and tool.

A remedy that can be applied from outside (variables, a command before or after the build) is tested by rebuilding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from pytest_ftc.diagnosis.canaries.random_tokens import TEMPORARY
from pytest_ftc.model import Cause, Field, RemedyTemplate
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.toml import tomllib


@cache
def catalogue() -> tuple[RemedyTemplate, ...]:
    """Return all remedies, the most specific first."""
    text = files("pytest_ftc.diagnosis").joinpath("remedies.toml").read_text(encoding="utf-8")
    return tuple(_read(table) for table in tomllib.loads(text)["remedy"])


def _read(table: Mapping[str, Any]) -> RemedyTemplate:
    kinds = {"causes": Cause, "formats": FileFormat, "fields": Field, "tools": str, "programs": str}
    return RemedyTemplate(**{**table, **{key: frozenset(map(kind, table.get(key, ()))) for key, kind in kinds.items()}})


def find_remedies(
    cause: str,
    place: Field,
    formats: Sequence[str],
    tools: Sequence[str] = (),
    ran: Collection[str] = (),
    others: Sequence[RemedyTemplate] = (),
) -> Iterator[RemedyTemplate]:
    """Yield remedies for `cause` where the field `place` differs; those that can be tested by rebuilding come first.

    `others` precede the catalogue.  `formats` are the format of the place and of the containers around it, `tools` the
    command that wrote it and those that started it, `ran` the programs that the build ran; empty if unknown.
    """
    fitting = [
        template
        for template in (*others, *catalogue())
        if cause in template.causes
        # A remedy for header fields applies to one format, so the containers around the place do not matter.
        and (not template.formats or template.formats.intersection(formats[:1] if template.fields else formats))
        and (not template.fields or place in template.fields)
        and (not template.tools or template.tools.intersection(tools))
        and (not template.programs or not ran or template.programs.intersection(ran))
        # No setting of the catalogue changes the name of a temporary folder.
        and not (TEMPORARY in tools and template.can_be_tried and template not in others)
    ]
    yield from sorted(fitting, key=lambda template: not template.can_be_tried)
