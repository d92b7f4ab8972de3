"""Masking secrets, and parts of them, in texts and logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pytest_ftc.builds.inputs.spellings import Spelling

MASK = "***"
_LEAST = 6
"""Shortest part of a secret, in bytes, that is masked."""
_LONGEST = 1 << 20
"""A size in bytes that no secret reaches."""
_NOT_A_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that do not represent undecodable bytes (PEP 383)."""


class Mask:
    """Replaces each part of a secret with three asterisks: a text shortened before masking may contain such parts."""

    def __init__(self, spellings: Iterable[Spelling], lines: Iterable[bytes]) -> None:
        given = list(spellings)
        plain = [(one.data, one.part) for one in given if one.plain] + [(line, _LEAST) for line in lines]
        coded = [(one.data, one.part) for one in given if not one.plain]
        self._all = _Parts([*plain, *coded])
        self._coded = _Parts(coded)

    def mask(self, text: str) -> str:
        """Return `text` masked."""
        data = text.encode("utf-8", "backslashreplace" if _NOT_A_BYTE.search(text) else "surrogateescape")
        masked = self.mask_bytes(data)
        return text if masked == data else masked.decode("utf-8", "surrogateescape")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return `data` masked, even if the secret is escaped, broken across lines, or in a hex dump."""
        if len(data) < _LEAST:
            return data
        # Only here: sessions without secrets need none of them.
        from pytest_ftc.model.support.readings import READINGS

        data = _replace(data, self._all.find(data))
        for reading in READINGS:
            if reading.needs.search(data) and (read := reading.apply(data)) != data:
                parts = self._all if reading.shortest < _LONGEST else self._coded
                if spans := list(parts.find(read)):
                    data = _replace(data, reading.locate(data, spans))
        return data


class _Parts:
    """Finds parts of secrets in bytes."""

    def __init__(self, wanted: Iterable[tuple[bytes, int]]) -> None:
        by_length: dict[int, set[bytes]] = {}
        for data, part in wanted:
            length = min(len(data), part)
            windows = {data[start : start + length] for start in range(len(data) - length + 1)}
            # White space alone reveals nothing.
            by_length.setdefault(length, set()).update(window for window in windows if window.strip())
        self._by_length = sorted(by_length.items(), reverse=True)
        self._beginnings = {window[:_LEAST] for windows in by_length.values() for window in windows}

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield start and end of each part, sorted by start."""
        beginnings = self._beginnings
        for start in range(len(data) - _LEAST + 1):
            if data[start : start + _LEAST] in beginnings:
                for length, windows in self._by_length:
                    if data[start : start + length] in windows:
                        yield start, start + length
                        break


def _replace(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    pieces, position = [], 0
    for start, end in _merge(spans):
        # Keep the newlines of a value, so that the lines of the text stay the same.
        end = start + len(data[start:end].rstrip(b"\r\n"))
        pieces += [data[position:start], MASK.encode()]
        position = end
    return b"".join([*pieces, data[position:]])


def _merge(spans: Iterable[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
