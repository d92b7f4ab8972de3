"""Where a farm is, how to reach it, and the limits of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.integrations.retry import Persistence

PERSISTENCE = Persistence(attempts=5, first_wait=0.5, longest_wait=8.0, longest_asked=60.0, failures=10, rest=15.0)
"""More patient than towards other services: hundreds of calls share one circuit breaker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of calls and transfers; waits in seconds, sizes in bytes."""

    call: float = 30.0
    """For the answer to a call that moves little data."""
    slowest: float = 64 << 10
    """Bytes a second: a transfer may take `call` and its size at this rate."""
    calls: int = 64
    """Calls at the same time that move little data; executions do not count."""
    rate: float = 0.0
    """Bytes a second of all downloads together, at most; 0 for no limit."""
    streams: int = 8
    """Transfers of large contents at the same time."""
    tree: int = 64 << 20
    """For contents that are read into memory without another limit."""
    persistence: Persistence = PERSISTENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAddress:
    """A server that speaks the Remote Execution API v2."""

    target: str
    """``HOST:PORT``."""
    instance: str = ""
    """The server's name for one of its farms, the `instance_name` of the API."""
    secure: bool = False
    """Whether the connection is encrypted by TLS."""
    ca: bytes | None = None
    """Certificates of the authorities to trust, in PEM; None for those of the system."""
    cert: bytes | None = None
    """This client's certificate chain, in PEM, for mutual TLS."""
    key: bytes | None = field(default=None, repr=False)
    """The private key of `cert`, in PEM."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with each call; the names in lower case."""
    limits: Limits = field(default_factory=Limits)

    def __str__(self) -> str:
        where = f"{'grpcs' if self.secure else 'grpc'}://{self.target}"
        return f"{where} ({self.instance})" if self.instance else where
