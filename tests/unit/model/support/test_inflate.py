"""Decompressing piece by piece."""

import bz2
import gzip
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ftc.model.support.inflate import Decompressor, Inflater

FORMS = {15: zlib.compress, -15: lambda data: zlib.compress(data)[2:-4], 31: gzip.compress}


def read(decoder: Decompressor, packed: bytes, piece: int, most: int) -> bytes:
    """Read as the walker does: a bounded piece of output at a time."""
    data, position = b"", 0
    while not decoder.eof:
        given = packed[position : position + piece] if decoder.needs_input else b""
        if decoder.needs_input and not given:
            break
        position += len(given)
        chunk = decoder.decompress(given, most)
        assert len(chunk) <= most
        data += chunk
    return data


@pytest.mark.parametrize("wbits", FORMS)
@example(data=bytes.fromhex("000000000100909090919090"), piece=2, most=1)
@given(data=st.binary(max_size=500), piece=st.integers(1, 40), most=st.integers(1, 50))
def test_it_reads_in_pieces_what_zlib_reads_at_once(wbits, data, piece, most):
    assert read(Inflater(wbits), FORMS[wbits](data), piece, most) == data


@given(data=st.binary(max_size=200), piece=st.integers(1, 40), most=st.integers(1, 50))
def test_the_decoders_of_the_standard_library_have_the_same_interface(data, piece, most):
    assert read(bz2.BZ2Decompressor(), bz2.compress(data), piece, most) == data


def test_what_follows_a_stream_is_left_over():
    decoder = Inflater(15)
    assert decoder.decompress(zlib.compress(b"x") + b"rest") == b"x"
    assert (decoder.eof, decoder.unused_data) == (True, b"rest")


def test_damage_is_an_error():
    with pytest.raises(zlib.error):
        Inflater(15).decompress(b"no stream")
