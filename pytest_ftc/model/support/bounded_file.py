"""Reading files that others may have made: no more of them than expected."""

from __future__ import annotations

from pathlib import Path


def read_bounded(path: Path, most: int) -> bytes:
    """Return the content of the file `path`.  Raises OSError, and ValueError if it has more than `most` bytes."""
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"larger than {most >> 20} MiB" if most >> 20 else f"larger than {most >> 10} KiB")
    return data


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of the file `path` as `read_bounded`, if it is a regular one.

    Raises ValueError too for anything else: a named pipe could keep its reader waiting for ever.
    """
    if path.exists() and not path.is_file():
        raise ValueError("no regular file")
    return read_bounded(path, most)
