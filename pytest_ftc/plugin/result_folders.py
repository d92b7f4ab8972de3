"""The folders for logs, diffs and records of a session."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

import pytest

from pytest_ftc.config.load import Config


def check_writable(config: Config) -> None:
    """Raise a usage error now, before any builds, if a report could not be written later."""
    from pytest_ftc.store.layout import make_folder

    baseline = config.baseline.parent if config.baseline and config.update_baseline else None
    json_file = config.json.parent if config.json else None
    for option, folder in (("report", config.report), ("json", json_file), ("baseline", baseline)):
        if folder is None:
            continue
        try:
            make_folder(folder)
            problem = "" if os.access(folder, os.W_OK) else "it is not writable"
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:
            raise pytest.UsageError(f"{option}: expected a writable folder, found {str(folder)!r}: {problem}")


def results_folder(pytest_config: pytest.Config, config: Config) -> Path:
    """Return the folder for logs and diffs: the report, else pytest's cache, else a temporary folder."""
    return config.report or lasting_folder(pytest_config)


def record_folders(pytest_config: pytest.Config, config: Config) -> list[Path]:
    """Return the folders for replay records: the report's, if there is one, and the lasting one."""
    return list(dict.fromkeys([results_folder(pytest_config, config), lasting_folder(pytest_config)]))


def lasting_folder(pytest_config: pytest.Config) -> Path:
    """Return our folder in pytest's cache, or a temporary one without a cache."""
    cache = getattr(pytest_config, "cache", None)
    if cache is not None:
        with contextlib.suppress(OSError):
            folder = Path(cache.mkdir("ftc"))
            (folder / "logs").mkdir(exist_ok=True)
            return folder
    return _temporary_results()


def _temporary_results() -> Path:
    """Return a private folder that later sessions reuse.

    Its parent is writable by all users, so an existing folder is used only if this user owns it.
    """
    folder = Path(tempfile.gettempdir(), f"ftc-results-{os.geteuid()}")
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
        return folder
    return Path(tempfile.mkdtemp(prefix="ftc-results-"))
