"""The content-addressable store: plain files, named by the digest of their content.

A content is written to a temporary file, synced to disk and renamed, so it is never visible in part.  Every read is
verified; corrupt contents are quarantined and never returned.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError
from pytest_ftc.store.blob_files import MANY, copy_hashing, digest_file, read_at_most, sync_files, sync_filesystem
from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.entry_files import read_entry, write_entry
from pytest_ftc.store.layout import Layout, open_plain, sync_folder, translated, write_all
from pytest_ftc.store.leases import Lease


class LocalStore:
    """A store in a folder, shared by all sessions of a user; readers never wait.

    All methods raise StoreUnavailableError on disk errors.
    """

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        self._lease: Lease | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self.quarantined = 0
        """The number of corrupt contents that this session found."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems with the store, one sentence each."""
        count = self.quarantined
        return (f"{count} corrupt content(s) in the store were quarantined",) if count else ()

    def put(self, data: bytes) -> Digest:
        """Store `data`; once this returns, it survives a power failure."""
        with self.batch() as batch:
            return batch.put(data)

    def put_file(self, path: Path) -> Digest:
        """Store the content of the file `path`."""
        with self.batch() as batch:
            return batch.put_file(path)

    def put_files(self, files: Mapping[Digest, Path]) -> None:
        """Store the contents of `files`; files on the store's file system become part of it."""
        with self.batch() as batch:
            for digest, path in files.items():
                batch.put_file(path, known=digest)

    def get_entry(self, action: str) -> bytes | None:
        """Return the entry of `action`; None if there is none, empty if its path is not a regular file."""
        with translated(self.layout.root):
            path = self.layout.action(action)
            try:
                data = read_entry(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
            except ValueError:
                return b""
        with contextlib.suppress(OSError):
            os.utime(path)  # garbage collection removes the least recently used entries first
        return data

    def put_entry(self, action: str, entry: bytes) -> None:
        """Store `entry` for `action`; once this returns, it survives a power failure."""
        with translated(self.layout.root):
            write_entry(self.layout, self.new_part(), action, entry)

    @contextlib.contextmanager
    def batch(self) -> Iterator[Batch]:
        """Store many contents at once: they are visible and durable when the block ends without an error."""
        with translated(self.layout.root):
            self.lease()
            batch = Batch(self)
            try:
                yield batch
                batch.commit()
            finally:
                batch.abandon()

    def get(self, digest: Digest) -> bytes:
        """Return the content.  Raises MissingError if it is missing or corrupt."""
        with translated(self.layout.root):
            try:
                data = read_at_most(self.layout.blob(digest.hash), digest.size)
            except FileNotFoundError:
                raise MissingError(f"the store does not hold {digest}") from None
            except ValueError as error:
                self._put_aside(digest.hash, str(error))
            if Digest.of(data) != digest:
                self._put_aside(digest.hash, "its bytes have changed")
            return data

    def get_file(self, digest: Digest, to: Path, mode: int = 0o644) -> None:
        """Write the content to the file `to` atomically.  Raises MissingError."""
        with translated(self.layout.root):
            try:
                source = open_plain(self.layout.blob(digest.hash))
            except FileNotFoundError:
                raise MissingError(f"the store does not hold {digest}") from None
            except ValueError as error:
                self._put_aside(digest.hash, str(error))
            part = f"{to}.{secrets.token_hex(4)}.part"
            try:
                found = copy_hashing(source, part, mode)
                if found != digest:
                    self._put_aside(digest.hash, "its bytes have changed")
                os.replace(part, to)
            finally:
                os.close(source)
                with contextlib.suppress(OSError):
                    os.unlink(part)

    def missing(self, digests: Iterable[Digest]) -> list[Digest]:
        """Return the digests that are missing; the others are kept while this session runs."""
        with translated(self.layout.root):
            lease = self.lease()
            return [digest for digest in digests if not self.holds(digest, lease)]

    def holds(self, digest: Digest, lease: Lease) -> bool:
        """Return whether a content with this name and size exists, and pin it with `lease`."""
        lease.pin(digest.hash)
        try:
            return os.lstat(self.layout.blob(digest.hash)).st_size == digest.size
        except FileNotFoundError:
            return False

    def is_sound(self, digest: Digest) -> bool:
        """Return whether the content matches its digest; quarantine it if not."""
        try:
            sound = digest_file(self.layout.blob(digest.hash)) == digest
        except FileNotFoundError:
            return False
        except ValueError:
            sound = False
        if not sound:
            self.quarantined += 1
            quarantine(self.layout, self.layout.blob(digest.hash))
        return sound

    def lease(self) -> Lease:
        """Return the lease of this session, created on first use."""
        with self._lock:
            if self._lease is None:
                self.layout.make()
                self._lease = Lease(self.layout)
            return self._lease

    def new_part(self) -> str:
        """Return the path of a new temporary file."""
        return f"{self.layout.parts}/{self.lease().name}-{next(self._numbers)}"

    def close(self) -> None:
        """End the lease."""
        with self._lock:
            if self._lease:
                self._lease.end()
            self._lease = None

    def _put_aside(self, name: str, why: str) -> None:
        self.quarantined += 1
        quarantine(self.layout, self.layout.blob(name))
        raise MissingError(f"{name} in the store was corrupt ({why}) and has been quarantined")


class Batch:
    """Contents to be stored together."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._lease = store.lease()
        self._parts: dict[str, str] = {}
        self._seen: set[str] = set()

    def put(self, data: bytes) -> Digest:
        """Add `data`."""
        digest = Digest.of(data)
        if not self._holds(digest):
            part = self._store.new_part()
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
            try:
                self._parts[digest.hash] = part
                crash_point("blob.part-made")
                write_all(descriptor, data)
            finally:
                os.close(descriptor)
            crash_point("blob.part-written")
        return digest

    def put_file(self, path: Path, known: Digest | None = None) -> Digest:
        """Add the content of the file `path`.

        With its digest `known`, the file itself becomes part of the store if both are on the same file system.  It must
        not be modified afterwards.
        """
        if known and self._holds(known):
            return known
        part = self._store.new_part()
        if known:
            with contextlib.suppress(OSError):
                os.link(path, part)
                self._parts[known.hash] = part
                os.chmod(part, 0o400)
                return known
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            digest = copy_hashing(source, part, 0o400)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        finally:
            os.close(source)
        crash_point("blob.part-written")
        if digest.hash in self._parts or self._holds(digest):
            os.unlink(part)
        else:
            self._parts[digest.hash] = part
        return digest

    def commit(self) -> None:
        """Sync all contents to disk, then rename each, so that none is visible before it is durable."""
        layout = self._store.layout
        sync_files([*self._parts.values()], str(layout.parts))
        crash_point("blob.synced")
        folders = set()
        for name, part in list(self._parts.items()):
            place = layout.blob(name)
            folder = place.rpartition("/")[0]
            if folder not in folders:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o700)
                folders.add(folder)
            os.rename(part, place)
            del self._parts[name]
            crash_point("blob.named")
        if len(folders) < MANY:
            for folder in folders:
                sync_folder(folder)
        else:
            sync_filesystem(str(layout.blobs))
        if folders:
            sync_folder(str(layout.blobs))
        crash_point("blob.names-synced")

    def abandon(self) -> None:
        """Remove uncommitted contents."""
        for part in self._parts.values():
            with contextlib.suppress(OSError):
                os.unlink(part)
        self._parts.clear()

    def _holds(self, digest: Digest) -> bool:
        if digest.hash in self._parts or digest.hash in self._seen:
            return True
        if not self._store.holds(digest, self._lease) or not self._store.is_sound(digest):
            return False
        self._seen.add(digest.hash)
        with contextlib.suppress(OSError):
            os.utime(self._store.layout.blob(digest.hash))  # so that a running garbage collection keeps it
        return True


def quarantine(layout: Layout, path: str) -> None:
    """Move a corrupt file to the quarantine, so that it can be inspected and is not read again."""
    name = path.rpartition("/")[2]
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, f"{layout.quarantine}/{name}-{secrets.token_hex(4)}")
    crash_point("quarantined")
