"""Samples of a WAV file (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"; RFC 2361)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_ftc.comparison.members.contents import Contents
from pytest_ftc.comparison.members.formats.data.element_types import make_array
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import Elements
from pytest_ftc.model.place import FileFormat

_HEADER = 12
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMAT = struct.Struct("<HHIIHH")
_NAMES = ("format", "channels", "frames per second", "bytes per second", "bytes per frame", "bits per sample")
_TRIPLE = 3
"""Bytes of a sample for which Python has no type."""


def is_wav(span: Span, name: str) -> bool:
    head = span.read(0, _HEADER)
    return head[:4] == b"RIFF" and head[8:] == b"WAVE"


def read_wav(span: Span, budget: Budget) -> Contents:
    """Return the samples by frame and channel, and the other chunks.  Raises ValueError, struct.error."""
    values: dict[str, Any] = {}
    for kind, data in budget.few(_chunks(span)):
        name = kind if kind not in values else f"{kind} ({len(values)})"
        values[name] = data
    head = values.get("fmt ")
    if isinstance(head, Span) and isinstance(samples := values.get("data"), Span):
        described = dict(zip(_NAMES, _FORMAT.unpack(head.read(0, _FORMAT.size)), strict=True))
        values["fmt "] = {**described, "extension": head.part(_FORMAT.size, head.size - _FORMAT.size)}
        values["data"] = _samples(samples, described, head)
    return Contents(format=FileFormat.DATA, noun="WAV", values=values, recoded="WAV header")


def _chunks(span: Span) -> Iterator[tuple[str, Span]]:
    position = _HEADER
    while position + 8 <= span.size:
        name, size = struct.unpack("<4sI", span.read(position, 8))
        yield name.decode("latin-1"), span.part(position + 8, size)
        # A chunk of odd size is filled up by one byte.
        position += 8 + size + size % 2


def _samples(data: Span, described: dict[str, int], head: Span) -> Elements | Span:
    form, channels, size = described["format"], described["channels"], described["bits per sample"] // 8
    if form == _EXTENSIBLE:
        # The first bytes of its identifier are one of the others (mmreg.h, WAVEFORMATEXTENSIBLE).
        form = int.from_bytes(head.read(24, 2), "little")
    if form not in (_PCM, _FLOAT) or not 1 <= size <= 8 or not channels or data.size % (size * channels):
        return data
    shape = (data.size // (size * channels), channels)
    if form == _PCM and size == _TRIPLE:
        return Elements(data, size, "int24", shape, lambda sample: str(_decode_triples(sample)[0]), _decode_triples)
    # Samples of one byte have no sign.
    return make_array(data, "f" if form == _FLOAT else "u" if size == 1 else "i", size, shape=shape)


def _decode_triples(data: bytes) -> Sequence[int]:
    triples = range(0, len(data) - _TRIPLE + 1, _TRIPLE)
    return [int.from_bytes(data[start : start + _TRIPLE], "little", signed=True) for start in triples]
