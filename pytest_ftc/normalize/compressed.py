"""Compressed files: decompress every frame, normalize a tar archive inside, and compress again as one frame."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.inflate import Decompressor
from pytest_ftc.normalize.bounded_io import read_frame
from pytest_ftc.normalize.rules import CHUNK, Budget, Rules, check_count
from pytest_ftc.normalize.tar import is_tar, normalize_tar

_IN_MEMORY = 16 << 20
"""A payload of up to this many bytes is kept in memory; a larger one goes to a temporary file."""


_HEAD = 16
"""Bytes of a frame's header that `Codec.check` examines."""


class Compressor(Protocol):
    """Compresses one frame."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One compressed format."""

    name: str
    magic: bytes
    decompressor: Callable[[], Decompressor]
    """Creates a decompressor; called for each frame."""
    compressor: Callable[[int], Compressor]
    """Creates a compressor with fixed settings, given the payload's size."""
    broken: tuple[type[Exception], ...]
    """Exceptions that the decompressor raises on damaged input."""
    header: bytes = b""
    """Bytes written before the compressor's output."""
    padded: bool = False
    """Whether NUL bytes may follow the last frame."""
    check: Callable[[bytes], None] = lambda head: None
    """Raises NormalizationError if a frame with this header must not be rewritten."""

    def normalize(self, source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
        """Rewrite a file in this format."""
        with _temporary() as payload:
            try:
                _decompress(self, source, payload, rules)
            except self.broken as error:
                raise NormalizationError(f"it is damaged as {self.name}: {error}") from error
            payload.seek(0)
            is_archive = is_tar(payload.read(512))
            payload.seek(0)
            if not is_archive:
                _compress(self, payload, target)
                return
            with _temporary() as normal:
                normalize_tar(payload, normal, rules)
                _compress(self, normal, target)


def _temporary() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="ftc-normalize-"))


def _decompress(codec: Codec, source: BinaryIO, payload: BinaryIO, rules: Rules) -> None:
    budget = Budget(rules)
    rest = source.read(CHUNK)
    frames = 0
    while rest:
        check_count(frames := frames + 1)
        if not rest.startswith(codec.magic):
            raise NormalizationError(f"other data follows the end of the {codec.name} data")
        codec.check(rest)
        decompressor = codec.decompressor()
        for piece in read_frame(decompressor, rest, source):
            budget.spend(len(piece))
            payload.write(piece)
        rest = decompressor.unused_data
        if len(rest) < _HEAD:
            rest += source.read(CHUNK)
        if codec.padded and rest and not rest.strip(b"\0"):
            _check_padding(codec, source)
            return


def _check_padding(codec: Codec, source: BinaryIO) -> None:
    while chunk := source.read(CHUNK):
        if chunk.strip(b"\0"):
            raise NormalizationError(f"other data follows the end of the {codec.name} data")


def _compress(codec: Codec, payload: BinaryIO, target: BinaryIO) -> None:
    compressor = codec.compressor(payload.seek(0, 2))
    payload.seek(0)
    target.write(codec.header)
    while chunk := payload.read(CHUNK):
        target.write(compressor.compress(chunk))
    target.write(compressor.flush())
