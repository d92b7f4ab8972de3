"""Bzip2: one stream, level 9.  It stores no metadata, but a tar archive inside does."""

from __future__ import annotations

import bz2

from pytest_ftc.normalize.compressed import Codec

CODEC = Codec(
    name="bzip2",
    magic=b"BZh",
    decompressor=bz2.BZ2Decompressor,
    compressor=lambda size: bz2.BZ2Compressor(9),
    broken=(OSError, ValueError, EOFError),
)
