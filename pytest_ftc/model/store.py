"""What the store reports about itself, and about the builds it knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """One build: who, when, where, and what came of it."""

    action: str
    """Digest of the action: of all that decides the outputs."""
    artifact: str
    project: str
    """The folder of the project."""
    role: str
    machine: str
    user: str
    session: str
    started: float
    """Seconds since 1970."""
    seconds: float
    digest: str
    """Of the manifest of the outputs; empty when the build failed."""
    verdict: str
    """Of the verification that the build was a part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How much the store holds."""

    blobs: int
    blob_bytes: int
    entries: int
    entry_bytes: int
    quarantined: int
    """Corrupt files that were quarantined."""
    sessions: int
    """Sessions that use it now."""
    builds: int
    """Builds that the history knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What a look at every byte has found."""

    blobs: int
    """Contents looked at."""
    entries: int
    corrupt: tuple[str, ...]
    """Names of contents whose bytes are not what they were, in quarantine now."""
    refused: tuple[str, ...]
    """Actions whose entry is not authentic, in quarantine now."""
    lacking: tuple[str, ...]
    """Actions whose entry names outputs that are gone; their verdicts stand all the same."""
    history: tuple[str, ...]
    """What is wrong with the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed."""

    blobs: int
    entries: int
    bytes: int
    """Of both."""
    parts: int
    """Files that dead sessions had not finished writing, and others that were in the way."""
