"""What the next run of a project will ask the store for, and where an export of it is written."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.store.history import History
from pytest_ftc.verification.warming.actions import Wanted


def list_tested(history: History, project: Path, sources: Path) -> list[Wanted]:
    """Return the last actions of artifacts that tests of `project` have declared, if the tests are in `sources`.

    What a test declares is known only when it runs.
    """
    return [
        Wanted(artifact=id_, id=id_, action=action)
        for id_, action in sorted(history.last_actions(str(project)).items())
        if not is_declared(id_) and (sources / id_.partition("::")[0]).is_file()
    ]


@contextmanager
def new_folder(folder: Path, store: Path) -> Iterator[Path]:
    """Yield a folder beside `folder`, which gets its place at the end, so that no half of a store is ever there.

    Raises ConfigurationError if `folder` has something, or is in the `store`, and FtcError if it cannot be written.
    """
    place, inside = folder.resolve(), store.resolve()
    if place == inside or inside in place.parents:
        raise ConfigurationError(f"{folder} is in the store {store} itself; name another folder")
    try:
        if folder.is_symlink() or (os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir()))):
            raise ConfigurationError(f"{folder} is not empty; name a new folder")
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
        try:
            yield part
            part.rename(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise FtcError(f"{folder} cannot be written: {error.strerror or error}") from error
