"""What plugins add to a session, as data; who asked them for it is `pytest_ftc.gathering`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pytest_ftc.model import RemedyTemplate
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, StoreUnavailableError
from pytest_ftc.model.protocols import Comparator, Diagnoser, Executor, Store, Variation
from pytest_ftc.variations import CATALOGUE, PRESETS
from pytest_ftc.variations.specification import Vocabulary

T = TypeVar("T")


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


class TranslatedStore:
    """A `Store` of a plugin, whose errors are all StoreUnavailableError or MissingError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def problems(self) -> Sequence[str]:
        return self._do(lambda: [str(problem) for problem in self._store.problems])

    def get_file(self, digest: Digest, to: Path) -> None:
        self._do(lambda: self._store.get_file(digest, to))

    def put_files(self, files: Mapping[Digest, Path]) -> None:
        self._do(lambda: self._store.put_files(files))

    def get_entry(self, action: str) -> bytes | None:
        entry = self._do(lambda: self._store.get_entry(action))
        if entry is not None and not isinstance(entry, bytes):
            raise StoreUnavailableError(f"{self._name}.get_entry() returned {type(entry).__name__}, expected bytes")
        return entry

    def put_entry(self, action: str, entry: bytes) -> None:
        self._do(lambda: self._store.put_entry(action, entry))

    def close(self) -> None:
        self._do(self._store.close)

    @property
    def _name(self) -> str:
        return type(self._store).__name__

    def _do(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except FtcError:
            raise
        except Exception as error:
            raise StoreUnavailableError(f"{self._name}: {type(error).__name__}: {error}") from error
