"""Reads the key ``discover``: which folders below are searched for configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_ftc.config.file import read_file
from pytest_ftc.config.table import UnexpectedError
from pytest_ftc.model.errors import ConfigurationError


def read_folders(value: Any, _: object) -> bool | tuple[str, ...]:
    """Return whether all folders are searched, or the globs of those that are.  Raises UnexpectedError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list) and value and all(isinstance(glob, str) and glob.strip("./ ") for glob in value):
        return tuple(value)
    raise UnexpectedError("true, false, or a list of globs such as ['libs/*']")


def asks_for_folders(root: Path) -> bool:
    """Return whether the configuration in `root` asks for those of folders below; one that is broken does not."""
    try:
        return bool(read_file(root)[1].ftc.get("discover"))
    except ConfigurationError:
        return False
