"""Xz: one stream of one block, preset 6 and CRC64, as xz(1) writes by default with one thread."""

from __future__ import annotations

import lzma

from pytest_ftc.normalize.compressed import Codec

_MEMORY = 256 << 20
"""Memory limit of the decoder, in bytes; the largest preset needs 65 MiB."""

CODEC = Codec(
    name="xz",
    magic=b"\xfd7zXZ\0",
    decompressor=lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY),
    compressor=lambda size: lzma.LZMACompressor(format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, preset=6),
    broken=(lzma.LZMAError, MemoryError, EOFError),
    padded=True,  # "Stream Padding", section 2.2 of the .xz file format
)
