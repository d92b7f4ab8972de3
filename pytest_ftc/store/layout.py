"""The layout of the store's folder, in plain files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pytest_ftc.model.errors import StoreUnavailableError


class Layout:
    """The folders of the store at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"
        """Contents, in sub-folders named by the first two digits of their hash."""
        self.actions = root / "actions"
        """Entries of the action cache, in sub-folders of the same kind."""
        self.parts = root / "parts"
        """Temporary files being written; their names start with the name of the writer's lease."""
        self.trash = root / "trash"
        """Files about to be removed."""
        self.leases = root / "leases"
        self.quarantine = root / "quarantine"
        """Corrupt files."""
        self.waiting = root / "waiting"
        """Documents that wait for a signature, see `pytest_ftc.store.waiting`."""
        self.key = root / "key"
        self.history = root / "history.sqlite"
        self.history_seal = root / "history.seal"
        """The seal of the history, see `pytest_ftc.store.history_seal`."""
        self.observations = root / "observations.sqlite"
        """What sessions have seen, see `pytest_ftc.store.observations`."""

    def make(self) -> None:
        """Create the folders, accessible only to this user.  Raises StoreUnavailableError."""
        with translated(self.root):
            make_folder(self.root, mode=0o700)
            for folder in (
                self.blobs,
                self.actions,
                self.parts,
                self.trash,
                self.leases,
                self.quarantine,
                self.waiting,
            ):
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(mode=0o700)
                _refuse_link(folder)
            _refuse_link(self.history)
            _refuse_link(self.history_seal)
            _refuse_link(self.observations)

    def blob(self, name: str) -> str:
        """Return the path of the content whose hash is `name`."""
        return f"{self.blobs}/{name[:2]}/{name}"

    def action(self, name: str) -> str:
        """Return the path of the entry for the action whose digest is `name`."""
        return f"{self.actions}/{name[:2]}/{name}"


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create `folder` if it is missing, with a .gitignore, as other tools do with their caches.

    Otherwise a folder inside a project would be part of every artifact's source.  Raises OSError.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    if is_new:
        (folder / ".gitignore").write_text("# Made by pytest-ftc\n*\n")


@contextlib.contextmanager
def translated(root: Path) -> Iterator[None]:
    """Turn an OSError into StoreUnavailableError."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(
            f"the store in {root} cannot be used: {error.strerror or error}",
            advice="Set another folder with --ftc-store, or free space: ftc store gc.",
        ) from error


def _refuse_link(path: Path) -> None:
    """Raise OSError for a symlink: otherwise files elsewhere could be removed."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path} is a symlink, which the store never creates")


def list_files(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Yield the regular files in `folder` and its sub-folders with two-letter names; skip those that vanish."""
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except FileNotFoundError:
        return
    for entry in listed:
        if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False):
            yield from list_files(entry.path)
        elif not entry.is_dir(follow_symlinks=False):
            yield entry


def open_plain(path: str) -> int:
    """Open the regular file `path` for reading.  Raises ValueError for anything else, such as a symlink."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if os.path.islink(path):
            raise ValueError("a symlink") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("not a regular file")
    return descriptor


def sync_folder(folder: str) -> None:
    """Make the directory entries of `folder` durable, see fsync(2)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`: write(2) may write only a part.  Raises OSError."""
    while data:
        data = data[os.write(descriptor, data) :]
