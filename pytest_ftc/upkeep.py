"""``ftc store`` and ``ftc history``: what is kept, whether it is sound, what can go, and what was ever built."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.errors import FtcError
from pytest_ftc.model import BuildRecord, Removed, Soundness, Stats
from pytest_ftc.store import (
    History,
    LocalStore,
    collect_garbage,
    load_key,
    take_stats,
    verify_store,
)
from pytest_ftc.store.layout import Layout
from pytest_ftc.workshop import key_file, store_folder


@dataclass(frozen=True, slots=True)
class _Open:
    layout: Layout
    history: History


@contextmanager
def _opened(folder: Path | None) -> Iterator[_Open]:
    layout = LocalStore(folder or store_folder()).layout
    history = History(layout)
    try:
        layout.make()
        yield _Open(layout, history)
    finally:
        history.close()


def stats(folder: Path | None) -> Stats:
    """Return how much the store in `folder` holds, or that of this user.  Raises StoreUnavailableError."""
    with _opened(folder) as store:
        return take_stats(store.layout, store.history)


def verify(folder: Path | None) -> Soundness:
    """Read every byte of the store and put aside what is corrupt.  Raises StoreUnavailableError."""
    with _opened(folder) as store:
        return verify_store(store.layout, store.history, load_key(key_file(), os.environ))


def collect(folder: Path | None, *, max_size: int, max_age: float) -> Removed:
    """Remove what was not used for `max_age` seconds or is beyond `max_size` bytes.  Raises StoreUnavailableError."""
    with _opened(folder) as store:
        return collect_garbage(store.layout, max_size=max_size, max_age=max_age)


def builds_of(folder: Path | None, project: Path, artifact: str) -> list[BuildRecord]:
    """Return every build of `artifact`, a name or an id, in `project` that is on record, the newest first.

    Raises FtcError when there is none.
    """
    with _opened(folder) as store:
        builds = store.history.of_artifact(artifact, str(project))
        if builds:
            return builds
        known = [name.rpartition("::")[2] for name in store.history.artifacts(str(project))]
    near = difflib.get_close_matches(artifact, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    raise FtcError(
        f"no build of {artifact!r} in {project} is on record{hint}  On record: {', '.join(known) or 'nothing'}"
    )


def recorded(folder: Path | None, project: Path) -> list[str]:
    """Return the names of the artifacts of `project` of which builds are on record."""
    with _opened(folder) as store:
        return [name.rpartition("::")[2] for name in store.history.artifacts(str(project))]
