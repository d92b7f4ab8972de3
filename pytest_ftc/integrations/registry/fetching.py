"""Fetching an artifact: what it is, what is attested of it, and, once that is judged, its files.

No byte is at its place before all of it is verified: files are downloaded into a private folder beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_ftc.attestation.bundle import BUNDLE_MEDIA_TYPE
from pytest_ftc.integrations.registry.client import Client
from pytest_ftc.integrations.registry.documents import layer_of
from pytest_ftc.integrations.registry.manifest import Layer, RefusedError, read_annotations, read_manifest
from pytest_ftc.integrations.registry.outputs import digest_of
from pytest_ftc.integrations.registry.proofs import ENVELOPE_TYPE, MOST_BYTES
from pytest_ftc.integrations.registry.referrers import list_referrers, refers_to
from pytest_ftc.integrations.registry.remote import Remote
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import umask

_MOST_DOCUMENTS = 64 << 20
"""Bytes of all attestations of one artifact."""
_TYPES = (ENVELOPE_TYPE, BUNDLE_MEDIA_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a reference stands for."""

    digest: str
    """Of the manifest."""
    files: Mapping[str, Layer]
    """By name."""
    annotations: Mapping[str, str]


def resolve(remote: Remote) -> Resolved:
    """Return what the reference of `remote` stands for.  Raises RegistryError, UntrueError."""
    manifest = remote.ask(lambda client: client.manifest())

    def parse(client: Client) -> Resolved:
        files = read_manifest(manifest, remote.bounds.size)
        return Resolved(digest=layer_of(manifest).digest, files=files, annotations=read_annotations(manifest))

    return remote.ask(parse)


def collect_attestations(remote: Remote, digest: str) -> list[tuple[str, bytes]]:
    """Return the name and the bytes of each attestation that refers to the manifest with this `digest`.

    Nothing is said about who signed them.  Raises RegistryError, UntrueError.
    """
    found: list[tuple[str, bytes]] = []
    size = 0
    referrers = [str(one["digest"]) for kind in _TYPES for one in list_referrers(remote, digest, kind).descriptors]
    for referrer in referrers:
        documents = remote.ask(partial(_read_documents, referrer=referrer, subject=digest), size=MOST_BYTES)
        size += sum(len(data) for _, data in documents)
        if size > _MOST_DOCUMENTS:
            raise FtcError(f"{remote.image.target}: its attestations have more than {_MOST_DOCUMENTS >> 20} MiB")
        found += documents
    return found


def _read_documents(client: Client, referrer: str, subject: str) -> list[tuple[str, bytes]]:
    manifest = client.manifest(referrer)
    if not refers_to(manifest, subject):
        raise RefusedError(f"{referrer} is listed as a referrer, and refers to something else")
    return [(title, client.read(layer)) for title, layer in read_manifest(manifest, MOST_BYTES).items()]


def refuse_others(files: Mapping[str, Layer], folder: Path) -> list[str]:
    """Return the names of those `files` that `folder` has already.

    Raises ConfigurationError where another content is in the place of one.
    """
    present = [name for name in files if os.path.lexists(folder / name)]
    for name in present:
        if digest_of(folder / name) != files[name].digest:
            raise ConfigurationError(f"{folder / name} is there already, with another content: remove it, or choose -o")
    return present


def download(remote: Remote, files: Mapping[str, Layer], folder: Path) -> None:
    """Download `files`, verify them, and then move them into `folder`: all of them or none.

    Raises RegistryError, UntrueError, FtcError.
    """
    try:
        with _private_folder(folder) as private:
            for name, layer in files.items():
                path = remote.ask(partial(Client.save, layer=layer, path=private / name), size=layer.size)
                _finish(path)
            _place(private, list(files), folder)
    except OSError as error:
        raise FtcError(f"{folder}: {error.strerror or error}") from None


@contextmanager
def _private_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder in `folder` that nobody else can read; with it, folders that were made for it are removed."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix=".ftc-fetch-", dir=folder))
    try:
        yield private
    finally:
        # After a timeout, a download may still be writing there.
        shutil.rmtree(private, ignore_errors=True)
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()  # unless files are in it now


def _finish(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o666 & ~umask())


def _place(private: Path, names: list[str], folder: Path) -> None:
    placed: list[Path] = []
    try:
        for name in names:
            _move(private / name, folder / name)
            placed.append(folder / name)
    except OSError:
        for path in placed:
            path.unlink()
        raise


def _move(path: Path, to: Path) -> None:
    try:
        # Unlike a renamed file, a link never replaces what came there meanwhile.
        os.link(path, to)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS) or os.path.lexists(to):
            raise
        path.rename(to)
