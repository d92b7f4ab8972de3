"""Wraps a plugin's store and translates its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, StoreUnavailableError
from pytest_ftc.model.protocols import Store

T = TypeVar("T")


class TranslatedStore:
    """A plugin's `Store`; every error becomes StoreUnavailableError or MissingError."""

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
