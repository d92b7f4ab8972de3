"""What a session has seen, recorded at its end so that objectives can be measured over many sessions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationObserved:
    """One verification."""

    project: str
    """The folder of the project."""
    artifact: str
    """Its id."""
    verdict: str
    cached: bool | None
    """Whether the verdict came from the cache; None if it could not."""
    mismatch: bool
    """Whether the outputs differ from those recorded earlier for the same inputs."""
    ended: float
    """Seconds since 1970."""
    seconds: float
    """Wall time of the verification."""
    build_seconds: float | None
    """Wall time of the control build; None if nothing was built."""
    cpu_seconds: float
    """CPU time of all builds; where nobody has counted it, their wall time."""
    bytes: int
    """Size of the outputs of the control build; 0 if nothing was built."""
    commit: str
    """The git commit of the project; empty without one, or if there were local changes."""
    committed: float | None
    """The time of that commit, seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionObserved:
    """One session: what is not about one artifact."""

    project: str
    ended: float
    """Seconds since 1970."""
    writes: int
    """To the store."""
    failed_writes: int
    signings: int
    """Attestations that were to be signed."""
    failed_signings: int
