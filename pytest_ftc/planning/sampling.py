"""Which artifacts a session verifies that verifies only some: the same for the same commit, none left out for long."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_ftc.model import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is remembered of one artifact."""

    left_out: int = 0
    """Sessions in a row that left it out."""
    verified: float | None = None
    """When it was last verified, seconds since 1970."""


def choose(
    artifacts: Sequence[Artifact], *, rate: float, commit: str, records: Mapping[str, Record], most_left_out: int
) -> frozenset[str]:
    """Return the ids of those to verify: about the share `rate`, decided by `commit` and id alone.

    What is critical, was never verified, or was left out `most_left_out` times in a row, always is.
    """
    return frozenset(
        artifact.id
        for artifact in artifacts
        if artifact.critical
        or _is_due(records.get(artifact.id, Record()), most_left_out)
        or _draw(commit, artifact.id) < rate
    )


def _is_due(record: Record, most_left_out: int) -> bool:
    return record.verified is None or record.left_out >= most_left_out


def _draw(commit: str, name: str) -> float:
    """Return a number from 0 to 1, the same for the same texts."""
    digest = hashlib.sha256(f"{commit}\0{name}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64)
