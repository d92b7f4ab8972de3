"""Which of how many parts a session verifies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_ftc.config.file import show
from pytest_ftc.model.errors import ConfigurationError

_MOST = 10_000
"""Most parts."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of the artifacts."""

    number: int
    """From 1 to `count`."""
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def read_shard(text: str, flag: str) -> Shard:
    """Return the shard that the option `flag` names as `text`, such as ``3/8``.  Raises ConfigurationError."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text, re.ASCII)
    if found:
        number, count = map(int, found.groups())
        if 1 <= number <= count <= _MOST:
            return Shard(number, count)
    raise ConfigurationError(f"{flag}: expected K/N, such as 3/8, with K from 1 to N, found {show(text)}")
