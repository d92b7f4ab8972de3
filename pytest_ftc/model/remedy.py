"""What helps against a cause, as the catalogue has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model.place import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyTemplate:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is done to the build itself, to see whether it helps; ``$PWD`` in settings stands for its path."""

    settings: Mapping[str, str]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
