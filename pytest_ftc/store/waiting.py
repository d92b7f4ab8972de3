"""Documents that wait in the store, such as for a signature: one sealed file each, written atomically.

Each file is authenticated with the store's key, so that write access to the store is not enough to have something
signed that this user did not make.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.store.layout import Layout, open_plain, translated

_MOST_BYTES = 256 << 20
_SUFFIX = ".waiting"


class AlteredError(StoreUnavailableError):
    """A document was changed since it was written, or written under another key."""


def count_waiting(layout: Layout) -> int:
    """Return how many documents wait in the store of `layout`.  Raises StoreUnavailableError."""
    return len(_list_waiting(layout))


def _list_waiting(layout: Layout) -> list[str]:
    found: list[tuple[int, str]] = []
    with translated(layout.root), contextlib.suppress(FileNotFoundError), os.scandir(layout.waiting) as entries:
        for entry in entries:
            if entry.name.endswith(_SUFFIX):
                with contextlib.suppress(FileNotFoundError):
                    age = entry.stat(follow_symlinks=False).st_mtime_ns
                    found.append((age, entry.name.removesuffix(_SUFFIX)))
    return [name for _, name in sorted(found)]


class WaitingDocuments:
    """The documents that wait in the store of `layout`, sealed with `key`."""

    def __init__(self, layout: Layout, key: bytes) -> None:
        self._layout = layout
        self._folder = layout.waiting
        self._key = key

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of all documents.  Raises StoreUnavailableError."""
        self._layout.make()
        with contextlib.ExitStack() as stack:
            with translated(self._layout.root):
                stack.enter_context(locked(self._folder / "lock"))
            yield

    def names(self) -> list[str]:
        """Return the names of the documents, oldest first.  Raises StoreUnavailableError."""
        return _list_waiting(self._layout)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the document `name`; None if it does not wait any more.

        Raises AlteredError, StoreUnavailableError.
        """
        try:
            with translated(self._layout.root), open(open_plain(str(self._path(name))), "rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except ValueError:
            raise self._put_aside(name, "is no regular file") from None
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        return self._unseal(name, data)

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Write the document `name`, or replace it, durably.  Raises StoreUnavailableError."""
        body = json.dumps(document, sort_keys=True).encode()
        self._layout.make()
        with translated(self._layout.root):
            data = b"\n".join((self._code("key", b"")[:16], self._code(f"document {name}", body), body))
            replace_file(self._path(name), data, mode=0o600)

    def remove(self, name: str) -> None:
        """Remove the document `name`, if it is there.  Raises StoreUnavailableError."""
        with translated(self._layout.root):
            self._path(name).unlink(missing_ok=True)

    def _unseal(self, name: str, data: bytes) -> dict[str, Any]:
        under, _, rest = data.partition(b"\n")
        code, _, body = rest.partition(b"\n")
        if not hmac.compare_digest(code, self._code(f"document {name}", body)):
            if under == self._code("key", b"")[:16]:
                raise self._put_aside(name, "was changed")
            raise AlteredError(f"{self._path(name)}: this document was written under another key of the store")
        document: dict[str, Any] = json.loads(body)
        return document

    def _put_aside(self, name: str, why: str) -> AlteredError:
        path = self._path(name)
        with translated(self._layout.root), contextlib.suppress(FileNotFoundError):
            path.rename(self._layout.quarantine / path.name)
        return AlteredError(f"{path}: this waiting document {why}; it was moved to the quarantine")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _code(self, kind: str, data: bytes) -> bytes:
        return hmac.digest(self._key, f"pytest-ftc waiting {kind}\0".encode() + data, "sha256").hex().encode()
