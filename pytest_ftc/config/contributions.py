"""What plugins add to a session, as data; `pytest_ftc.plugin.hook_calls` collects it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftc.model import RemedyTemplate
from pytest_ftc.model.protocols import Comparator, Diagnoser, Executor, Store, Variation
from pytest_ftc.variations import BESIDE, CATALOGUE, PRESETS
from pytest_ftc.variations.specification import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """An artifact that a plugin declares, not yet checked."""

    name: str
    table: Mapping[str, Any]
    """Its keys, as in ``[tool.ftc.artifacts.NAME]``."""
    where: str
    """The plugin that declares it, for messages."""


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Everything that plugins add."""

    artifacts: Sequence[Declared] = ()
    variations: Sequence[Variation] = ()
    comparators: Sequence[Comparator] = ()
    diagnosers: Sequence[Diagnoser] = ()
    templates: Sequence[RemedyTemplate] = ()
    make_executor: Callable[[], Executor | None] = _nothing
    """Returns the executor that replaces our own; raises ConfigurationError."""
    make_store: Callable[[], Store | None] = _nothing
    """Returns the store that replaces our own; raises ConfigurationError."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The names that variation specifications may use."""
        return Vocabulary((*CATALOGUE, *self.variations), PRESETS, BESIDE)


NOTHING = Contributions()
"""The contributions if no plugin adds anything."""
