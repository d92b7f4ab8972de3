"""Choosing the timestamp to store: https://reproducible-builds.org/specs/source-date-epoch/."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.epoch import FIRST_ZIP_EPOCH, OF_COMMIT, UNSET
from pytest_ftc.model.support.git import run_git


def choose_epoch(choice: str | None, path: Path, environ: Mapping[str, str]) -> int:
    """Return the timestamp for the file at `path`, in seconds since 1970.

    `choice` is a number, ``git`` (the last commit of the repository that contains the file), ``unset`` (a fixed time)
    or None: SOURCE_DATE_EPOCH if set, else ``git`` if there is a repository, else ``unset``.
    Raises NormalizationError if the time cannot be determined.
    """
    folder = Path(os.path.realpath(path.parent))
    if not folder.is_dir():
        raise NormalizationError("No such file or directory")
    if choice is None:
        if "SOURCE_DATE_EPOCH" in environ:
            return _number(environ["SOURCE_DATE_EPOCH"], "SOURCE_DATE_EPOCH")
        inside = any((above / ".git").exists() for above in (folder, *folder.parents))
        choice = OF_COMMIT if inside else UNSET
    if choice == UNSET:
        return FIRST_ZIP_EPOCH
    return _commit_time(folder, environ) if choice == OF_COMMIT else _number(choice, "--epoch")


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise NormalizationError(f"{name} is {text!r}, expected a number of seconds since 1970")
    return int(text)


def _commit_time(folder: Path, environ: Mapping[str, str]) -> int:
    try:
        done = run_git(folder, "log", "-1", "--format=%ct", environ=environ)
    except OSError as error:
        raise NormalizationError(f"cannot run git to get the time of the last commit: {error.strerror}") from error
    if done.returncode or not done.stdout.strip().isdigit():
        words = (done.stderr.decode(errors="replace").strip() or "it printed nothing").splitlines()[0]
        raise NormalizationError(
            f"git cannot determine the time of the last commit: {words}; give --epoch a number or unset"
        )
    return int(done.stdout)
