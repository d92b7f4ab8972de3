"""Decompressing streams within a file."""

import gzip
import zlib

import pytest

from pytest_ftc.comparison.members.formats import compression
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.span import span_of


@pytest.mark.parametrize(("chunk", "step"), [(1, 1), (2, 1), (1, 3), (7, 2), (64, 64)])
@pytest.mark.parametrize("data", [b"", b"x", b"x" * 600, bytes(range(256)), b"\0\0\0\0\1\0\x90\x90\x90\x91\x90\x90"])
def test_content_is_read_whole_whatever_the_pieces_are(data, chunk, step, monkeypatch):
    monkeypatch.setattr(compression, "_CHUNK", chunk)
    monkeypatch.setattr(compression, "_STEP", step)
    for packed, make in (
        (gzip.compress(data), compression.gzip_decoder),
        (zlib.compress(data), compression.zlib_decoder),
        (zlib.compress(data)[2:-4], compression.deflate_decoder),
    ):
        found = compression.decompress(span_of(packed), make, Budget(Limits()), single=True)
        assert found.payload.read(0, len(data) + 1) == data
        assert found.end == len(packed)


def test_a_stream_that_is_cut_off_is_an_error():
    packed = gzip.compress(bytes(range(256)) * 50)[:-9]
    with pytest.raises(EOFError, match="ends too early"):
        compression.decompress(span_of(packed), compression.gzip_decoder, Budget(Limits()), single=True)
