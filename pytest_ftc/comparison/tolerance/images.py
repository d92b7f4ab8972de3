"""PNG images, split into the chunks that must be the same and the pixels (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from functools import partial

from pytest_ftc.comparison.members.formats.compression import decompress, zlib_decoder
from pytest_ftc.comparison.members.formats.data.pixels import Layout, read_layout, read_pixels
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.numbers.measure import measure_arrays
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.comparison.members.values import Elements, name_index
from pytest_ftc.comparison.tolerance.measured import Measured
from pytest_ftc.comparison.tolerance.refusal import RefusedError

_MAGIC = b"\x89PNG\r\n\x1a\n"
_PIECE = 1 << 17


def is_png(span: Span) -> bool:
    """Return whether it begins as an image."""
    return span.read(0, len(_MAGIC)) == _MAGIC


def compare_images(one: Span, other: Span, budget: Budget) -> Iterator[Measured]:
    """Yield how far the pixels of two images are apart; how deflate and filters pack them may differ.

    Raises RefusedError if anything else differs, OutOfTimeError, LimitReachedError, and whatever readers raise.
    """
    (around, control), (theirs, experiment) = (_split(span, budget) for span in (one, other))
    if around != theirs:
        raise RefusedError("other chunks than the pixels differ, such as the size, a text or a time")
    assert control.decode is not None
    extent = measure_arrays(control.content, experiment.content, control.size, control.decode, budget)
    if not extent.differing:
        raise RefusedError("the pixels are the same, and packed otherwise")
    yield Measured(name="", extent=extent, locate=partial(name_index, control))


def _split(span: Span, budget: Budget) -> tuple[bytes, Elements]:
    """Return a digest of all but the pixels, whose chunks are in it as one that is empty; and the pixels."""
    around, image, layout, previous = hashlib.sha256(span.read(0, len(_MAGIC))), list[Span](), None, b""
    for kind, data in _chunks(span, budget):
        if kind != b"IDAT":
            around.update(struct.pack(">I4s", data.size, kind))
            for piece in _read(data):
                around.update(piece)
            layout = read_layout(data) if kind == b"IHDR" else layout
        elif not image:
            around.update(kind)
            image.append(data)
        elif previous == kind:
            image.append(data)
        else:
            raise RefusedError("the chunks of its pixels are not in a row")
        previous = kind
    # In samples of less than a byte, there are bits that belong to no pixel.
    if layout is None or layout.is_indexed or layout.depth < 8:
        raise RefusedError("its samples are places in a palette, or less than a byte")
    return around.digest(), _read_image(image, layout, budget)


def _read_image(image: Sequence[Span], layout: Layout, budget: Budget) -> Elements:
    stored = spool((piece for chunk in image for piece in _read(chunk)), budget)
    lines = decompress(stored, zlib_decoder, budget, single=True)
    pixels = read_pixels(layout, lines.payload, budget)
    if pixels is None or lines.end != stored.size:
        raise RefusedError("it is too large, or has more or less data than its pixels")
    return pixels


def _chunks(span: Span, budget: Budget) -> Iterator[tuple[bytes, Span]]:
    """Yield the types of chunks, and their data, whose checksums are verified (5.3)."""
    position, kind = len(_MAGIC), b""
    while kind != b"IEND":
        size, kind = struct.unpack(">I4s", span.read(position, 8))
        data = span.part(position + 8, size)
        crc = zlib.crc32(kind)
        for piece in _read(data):
            budget.check_time()
            crc = zlib.crc32(piece, crc)
        if span.read(position + 8 + size, 4) != crc.to_bytes(4, "big"):
            raise RefusedError("the checksum of a chunk is wrong")
        yield kind, data
        position += size + 12
    if position != span.size:
        raise RefusedError("it has more than an image")


def _read(span: Span) -> Iterator[bytes]:
    return (span.read(position, _PIECE) for position in range(0, span.size, _PIECE))
