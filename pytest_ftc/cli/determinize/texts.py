"""Files of the project that are read and replaced, unless somebody else changes them meanwhile."""

from __future__ import annotations

from pathlib import Path

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file


def read_text(file: Path) -> str:
    """Return the text of `file`; empty if it is not there.  Raises FtcError."""
    try:
        return file.read_bytes().decode() if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FtcError(f"{file.name} cannot be read: {error}") from error


def replace_text(file: Path, before: str, text: str) -> None:
    """Give `file` the `text`, in place of `before`; its mode stays.  Raises FtcError, also if it has another text."""
    try:
        # Not the name of a link, but what it leads to.
        place = file.resolve()
        if read_text(place) != before:
            raise FtcError(f"{file.name} was changed meanwhile; nothing was written")
        replace_file(place, text.encode(), mode=place.stat().st_mode & 0o777 if place.exists() else None)
    except OSError as error:
        raise FtcError(f"{file.name} cannot be written: {error.strerror}; nothing was changed") from error
