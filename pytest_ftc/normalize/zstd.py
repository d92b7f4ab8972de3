"""Zstandard (RFC 8878): one frame, level 19, one thread, with content size and checksum."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.inflate import Decompressor
from pytest_ftc.normalize.compressed import Codec, Compressor

_LEVEL = 19


def _library() -> ModuleType:
    """Return the standard library's module (Python 3.14 and later) or its backport."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return importlib.import_module(name)
    except ImportError:
        raise NormalizationError("zstd support is not installed: pip install 'pytest-ftc[zstd]'") from None


def _decompressor() -> Decompressor:
    decompressor: Decompressor = _library().ZstdDecompressor()
    return decompressor


def _compressor(size: int) -> Compressor:
    zstd = _library()
    options = {
        zstd.CompressionParameter.compression_level: _LEVEL,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.content_size_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    compressor.set_pledged_input_size(size)
    result: Compressor = compressor
    return result


def make_codec() -> Codec:
    """Return the codec; raises NormalizationError if the library is missing."""
    return Codec(
        name="zstd",
        magic=b"\x28\xb5\x2f\xfd",
        decompressor=_decompressor,
        compressor=_compressor,
        broken=(_library().ZstdError, EOFError, MemoryError),
    )
