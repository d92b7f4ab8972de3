"""Detecting a file's format from its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize import ar as ars
from pytest_ftc.normalize import bzip2, xz, zstd
from pytest_ftc.normalize import gzip_file as gzips
from pytest_ftc.normalize import pyc as bytecode
from pytest_ftc.normalize import tar as tars
from pytest_ftc.normalize.rules import Normalizer
from pytest_ftc.normalize.zip import rewrite as zips

_CODECS = (gzips.CODEC, xz.CODEC, bzip2.CODEC)
_ZSTD = (b"\x28\xb5\x2f\xfd",)
_HEAD = 512


def choose_normalizer(path: Path, source: BinaryIO) -> Normalizer:
    """Return the normalizer for the file `source` at `path`, with `source` rewound to its start.

    Raises NormalizationError if the format is unknown.
    """
    head = source.read(_HEAD)
    normalizer = _by_magic(head)
    if normalizer is None and tars.is_tar(head):
        normalizer = tars.normalize_tar
    if normalizer is None and bytecode.is_bytecode(path.name, head):
        normalizer = bytecode.make_normalizer(path)
    if normalizer is None and zips.is_zip(source):
        normalizer = zips.normalize_zip
    if normalizer is None:
        raise NormalizationError("unknown format; known are tar, zip, gzip, xz, bzip2, zstd, ar and pyc")
    source.seek(0)
    return normalizer


def _by_magic(head: bytes) -> Normalizer | None:
    for codec in _CODECS:
        if head.startswith(codec.magic):
            return codec.normalize
    if head.startswith(_ZSTD):
        return zstd.make_codec().normalize
    if head.startswith(ars.MAGIC):
        return ars.normalize_ar
    if head.startswith(ars.THIN):
        return ars.refuse_thin
    return zips.normalize_zip if head.startswith((b"PK\3\4", b"PK\5\6")) else None
