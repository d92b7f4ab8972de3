"""Files of lzip(1), which Python does not write."""

import lzma
import struct
import zlib


def lzip(data: bytes) -> bytes:
    """A member of a lzip file: the stream of a .lzma file between another header and a trailer."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 3 << 19}]
    stream = lzma.compress(data, format=lzma.FORMAT_ALONE, filters=filters)[13:]
    return b"LZIP\1\x95" + stream + struct.pack("<IQQ", zlib.crc32(data), len(data), len(stream) + 26)
