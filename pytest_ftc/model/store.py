"""What the store reports about itself and its recorded builds."""

from __future__ import annotations

from dataclasses import dataclass, field


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
class StoreWrites:
    """What a session has written to the store: builds in the history, verdicts with their outputs, disputes."""

    attempted: int = 0
    failed: int = 0
    """Those of `attempted` that are not in the store."""

    def plus(self, other: StoreWrites) -> StoreWrites:
        """Return the sum."""
        return StoreWrites(attempted=self.attempted + other.attempted, failed=self.failed + other.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTraffic:
    """What was moved between the local and the remote store."""

    entries: int = 0
    contents: int = 0
    bytes: int = 0
    """Of both, before compression."""

    def plus(self, other: TierTraffic) -> TierTraffic:
        """Return the sum."""
        return TierTraffic(
            entries=self.entries + other.entries,
            contents=self.contents + other.contents,
            bytes=self.bytes + other.bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TierUse:
    """How a local and a remote store were used, in one session or in all of them."""

    local: int = 0
    """Actions whose entry the local store had."""
    remote: int = 0
    """Actions whose entry only the remote store had."""
    neither: int = 0
    """Actions without an authentic entry in either."""
    received: TierTraffic = field(default_factory=TierTraffic)
    """Fetched from the remote store."""
    sent: TierTraffic = field(default_factory=TierTraffic)
    """Stored there."""

    @property
    def asked(self) -> int:
        """Actions that were looked up."""
        return self.local + self.remote + self.neither

    def plus(self, other: TierUse) -> TierUse:
        """Return the sum."""
        return TierUse(
            local=self.local + other.local,
            remote=self.remote + other.remote,
            neither=self.neither + other.neither,
            received=self.received.plus(other.received),
            sent=self.sent.plus(other.sent),
        )


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
    use: TierUse = field(default_factory=TierUse)
    """How sessions used it and a remote store, if they had one."""
    evicted: int = 0
    """Entries that garbage collection has removed, since the store was made."""


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
