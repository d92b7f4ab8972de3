"""What plugins add to a session, as data; who asked them for it is `pytest_ftc.plugin.hook_calls`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftc.model import RemedyTemplate
from pytest_ftc.model.protocols import Comparator, Diagnoser, Executor, Store, Variation
from pytest_ftc.variations import CATALOGUE, PRESETS
from pytest_ftc.variations.specification import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """An artifact that a plugin declares, not yet checked."""

    name: str
    table: Mapping[str, Any]
    """As in ``[tool.ftc.artifacts.NAME]``."""
    where: str
    """Who declares it, for messages."""


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """All that plugins add."""

    artifacts: Sequence[Declared] = ()
    variations: Sequence[Variation] = ()
    comparators: Sequence[Comparator] = ()
    diagnosers: Sequence[Diagnoser] = ()
    templates: Sequence[RemedyTemplate] = ()
    make_executor: Callable[[], Executor | None] = _nothing
    """Returns what runs builds in place of our own executor; raises ConfigurationError."""
    make_store: Callable[[], Store | None] = _nothing
    """Returns what remembers in place of our own store; raises ConfigurationError."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What specifications of variations may speak of."""
        return Vocabulary((*CATALOGUE, *self.variations), PRESETS)


NOTHING = Contributions()
"""Where no plugin adds anything."""
