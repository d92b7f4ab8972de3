"""Names of members.  They are never opened as paths here, but what an archive unpacks to must be unambiguous."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.printable import shorten


def show(name: bytes) -> str:
    """Return `name` in quotes, safe to print in a message."""
    return f"'{shorten(name.decode('utf-8', 'surrogateescape'))}'"


def check_names(members: Iterable[tuple[bytes, bool]]) -> None:
    """Raise NormalizationError if the result of unpacking depends on the order of `members` (name, is a folder).

    It does if two members have the same path, or if one is below another that is not a folder (a symlink, say).
    """
    folders: dict[bytes, bool] = {}
    for name, is_folder in members:
        if b"\0" in name:
            raise NormalizationError(f"the name {show(name)} has a NUL byte")
        path = _plain(name)
        if path in folders:
            raise NormalizationError(f"two members are named {show(name)}")
        folders[path] = is_folder
    for path in folders:
        obstacle = next((above for above in _above(path) if not folders.get(above, True)), None)
        if obstacle is not None:
            raise NormalizationError(f"member {show(path)} is below {show(obstacle)}, which is not a folder")


def _plain(name: bytes) -> bytes:
    """Return `name` without redundant parts: ``./``, doubled and trailing slashes."""
    root = b"/" if name.startswith(b"/") else b""
    return root + b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))


def _above(path: bytes) -> Iterator[bytes]:
    position = path.rfind(b"/")
    while position > 0:
        yield path[:position]
        position = path.rfind(b"/", 0, position)
