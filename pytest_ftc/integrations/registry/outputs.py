"""The bytes of verified outputs, found by their digests: on the disk, or in the store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_ftc.integrations.registry.documents import Part
from pytest_ftc.integrations.registry.manifest import Layer, RefusedError, check_title
from pytest_ftc.model import Output, OutputType, Role, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.layout import open_plain

_CHUNK = 1 << 20


class UnverifiedError(FtcError):
    """What should be published is not what was verified."""


@dataclass(frozen=True, slots=True)
class Content:
    """A verified output, open for reading."""

    part: Part
    descriptor: int
    note: str = ""
    """What the user should know of where it comes from."""

    def read(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset`."""
        return os.pread(self.descriptor, size, offset)


@contextmanager
def opened_outputs(verification: Verification, folder: Path, store: Path) -> Iterator[list[Content]]:
    """Yield the outputs of the control build, from `folder`, to which their paths are relative, or from the `store`.

    Raises UnverifiedError where the bytes that were verified are in neither.
    """
    with ExitStack() as stack:
        contents: list[Content] = []
        for output in list_files(verification):
            contents.append(_open(output, folder, store))
            stack.callback(os.close, contents[-1].descriptor)
        yield contents


def list_files(verification: Verification) -> list[Output]:
    """Return the output files of the control build.  Raises UnverifiedError where they cannot be published."""
    control = next((build for build in verification.builds if build.role is Role.CONTROL), None)
    outputs = sorted(control.outputs, key=lambda output: output.path) if control else []
    if not outputs:
        raise UnverifiedError(f"{verification.name}: no build left a file")
    for output in outputs:
        if output.type is not OutputType.FILE:
            raise UnverifiedError(f"{output.path} is a {_NAMES[output.type]}: only files can be published; pack it")
    names = [PurePosixPath(output.path).name for output in outputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnverifiedError(f"two outputs are named {twice}: a registry keeps the names of files without folders")
    try:
        for name in names:
            check_title(name)
    except RefusedError as error:
        raise UnverifiedError(f"{verification.name}: {error}") from None
    return outputs


_NAMES = {OutputType.DIR: "folder", OutputType.SYMLINK: "link"}


def _open(output: Output, folder: Path, store: Path) -> Content:
    name = PurePosixPath(output.path).name
    part = Part(title=name, layer=Layer(f"sha256:{output.sha256}", output.size))
    on_disk = _open_verified(folder / output.path, output)
    if isinstance(on_disk, int):
        return Content(part, on_disk)
    stored = _open_verified(Path(LocalStore(store).layout.blob(output.sha256)), output)
    if isinstance(stored, int):
        return Content(part, stored, f"{output.path}: from the store; {on_disk}")
    raise UnverifiedError(
        f"{output.path}: {on_disk}; the store does not hold the verified bytes (sha256 {output.sha256}) either"
    )


def _open_verified(path: Path, output: Output) -> int | str:
    """Return a descriptor of the file `path` if it is `output`, else why it is not."""
    try:
        descriptor = open_plain(str(path))
    except FileNotFoundError:
        return f"there is no such file in {path.parent}"
    except (OSError, ValueError) as error:
        return f"{path} cannot be read: {error}"
    found = _digest(descriptor)
    if found == output.sha256:
        return descriptor
    os.close(descriptor)
    return f"{path} was changed since it was verified: its sha256 is {found}"


def digest_of(path: Path) -> str:
    """Return the digest of the file `path`, with its algorithm; empty if it is no file that can be read."""
    try:
        descriptor = open_plain(str(path))
    except (OSError, ValueError):
        return ""
    try:
        return f"sha256:{_digest(descriptor)}"
    finally:
        os.close(descriptor)


def _digest(descriptor: int) -> str:
    digest, offset = hashlib.sha256(), 0
    while data := os.pread(descriptor, _CHUNK, offset):
        digest.update(data)
        offset += len(data)
    return digest.hexdigest()
