"""The parameters of every format's normalizer, and its limits on hostile input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError

CHUNK = 1 << 16
"""Most bytes read or decompressed at a time."""

MOST_MEMBERS = 500_000
"""Most members of one archive (their headers are kept in memory), or frames of one compressed file."""

LATEST_EPOCH = 0xFFFFFFFF
"""The latest time that every format here can store: February 2106."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to normalize one file."""

    epoch: int
    """The timestamp to store everywhere, in seconds since 1970."""
    max_size: int = 4 << 30
    """Most bytes of one file's contents after decompression."""

    def __post_init__(self) -> None:
        if not 0 <= self.epoch <= LATEST_EPOCH:
            raise NormalizationError(f"the epoch {self.epoch} is not between 0 and {LATEST_EPOCH} seconds since 1970")


class TooLargeError(NormalizationError):
    """A file holds more than the rules permit."""


Normalizer = Callable[[BinaryIO, BinaryIO, Rules], None]
"""Reads a whole file from the first (seekable) argument and writes it, normalized, to the second.

Raises NormalizationError if the file must not be rewritten.
"""


class Budget:
    """Counts the decompressed bytes of one file."""

    def __init__(self, rules: Rules) -> None:
        self._left = self._limit = rules.max_size

    def spend(self, size: int) -> None:
        """Count `size` bytes; raises NormalizationError above the limit."""
        self._left -= size
        if self._left < 0:
            raise TooLargeError(f"it holds more than {self._limit} bytes when decompressed; raise --max-size")


def check_count(members: int) -> None:
    """Raise NormalizationError if there are too many `members`."""
    if members > MOST_MEMBERS:
        raise NormalizationError(f"it has more than {MOST_MEMBERS} members")
