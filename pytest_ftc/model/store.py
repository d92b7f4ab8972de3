"""What the store reports about itself and its recorded builds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """One recorded build: who, when, where, and its outcome."""

    action: str
    """Digest of the action: of everything that determines the outputs."""
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
    """Digest of the manifest of the outputs; empty if the build failed."""
    verdict: str
    """Verdict of the verification the build was part of."""


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
    """Builds in the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """The result of checking every byte."""

    blobs: int
    """Contents checked."""
    entries: int
    corrupt: tuple[str, ...]
    """Names of corrupt contents, now in quarantine."""
    refused: tuple[str, ...]
    """Actions whose entry is not authentic, now in quarantine."""
    lacking: tuple[str, ...]
    """Actions whose entry names missing outputs; their verdicts remain valid."""
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
    """Unfinished files of dead sessions, and other unexpected files."""
