"""What every format's normalizer is told, and the bounds it keeps on hostile input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError

CHUNK = 1 << 16
"""Bytes read, and at most decompressed, at a time."""

MOST_MEMBERS = 500_000
"""Members of one archive, whose headers are held in memory, and frames of one compressed file."""

LATEST_EPOCH = 0xFFFFFFFF
"""The last time that every format here can store: February 2106."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to normalize one file."""

    epoch: int
    """Seconds since 1970 that every stored time becomes."""
    max_size: int = 4 << 30
    """Bytes that one file's contents may have when decompressed."""

    def __post_init__(self) -> None:
        if not 0 <= self.epoch <= LATEST_EPOCH:
            raise NormalizationError(f"the epoch {self.epoch} is not between 0 and {LATEST_EPOCH} seconds since 1970")


Normalizer = Callable[[BinaryIO, BinaryIO, Rules], None]
"""Reads a whole file from the first (seekable) argument and writes it, normalized, to the second.

Raises NormalizationError when the file is not to be rewritten.
"""


class Budget:
    """Counts the decompressed bytes of one file."""

    def __init__(self, rules: Rules) -> None:
        self._left = self._limit = rules.max_size

    def spend(self, size: int) -> None:
        """Take `size` bytes off; raises NormalizationError when none are left."""
        self._left -= size
        if self._left < 0:
            raise NormalizationError(f"it holds more than {self._limit} bytes when decompressed; raise --max-size")


def check_count(members: int) -> None:
    """Raise NormalizationError when there are too many `members`."""
    if members > MOST_MEMBERS:
        raise NormalizationError(f"it has more than {MOST_MEMBERS} members")
