"""The beginnings of contents, decompressed, by which contents with similar names are told apart."""

from __future__ import annotations

from pytest_ftc.comparison.likeness import Sketch, draw
from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.formats.compression import (
    bzip2_decoder,
    gzip_decoder,
    xz_decoder,
    zstd_decoder,
)
from pytest_ftc.comparison.members.limits import Budget, OutOfTimeError
from pytest_ftc.comparison.members.span import Span

_BEGINNING = 64 << 10
_DECODERS = {
    b"\x1f\x8b\x08": gzip_decoder,
    b"BZh": bzip2_decoder,
    b"\xfd7zXZ": xz_decoder,
    b"\x28\xb5\x2f\xfd": zstd_decoder,
}


def sketch(content: Span) -> Sketch:
    """Return the sketch of a content; if it is compressed, of what is compressed."""
    beginning = content.read(0, _BEGINNING)
    for magic, decoder in _DECODERS.items():
        if beginning.startswith(magic):
            try:
                beginning = decoder().decompress(beginning, _BEGINNING)
            except Exception:
                break
    return draw(content.size, beginning)


def sketch_member(member: Member, budget: Budget) -> Sketch | None:
    """Return the sketch of a member's content; None if it has none or cannot be read.  Raises OutOfTimeError."""
    budget.check_time()
    try:
        with budget.temporary():
            content = member.content() if member.content else member.stored
            return sketch(content) if content is not None else None
    except OutOfTimeError:
        raise
    except Exception:
        return None
