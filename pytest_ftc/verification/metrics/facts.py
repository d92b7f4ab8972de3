"""Facts of a session beside its verifications, from which metrics are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftc.model import Verification
from pytest_ftc.model.protocols import Tiered
from pytest_ftc.model.store import StoreWrites, TierUse
from pytest_ftc.verification.open_session import RunningSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """How the services that one process used were at its end."""

    store_up: bool | None = None
    """Whether the store could be used; None if nobody wanted to."""
    looks_up: bool = False
    """Whether verdicts of earlier sessions were looked up."""
    writes: StoreWrites = field(default_factory=StoreWrites)
    paused: Mapping[str, bool] = field(default_factory=dict)
    """Whether each service is left alone because it failed too often."""

    def plus(self, other: Services) -> Services:
        """Return what both processes say: a service is up only if it was for both."""
        known = [one.store_up for one in (self, other) if one.store_up is not None]
        names = {**self.paused, **other.paused}
        return Services(
            store_up=all(known) if known else None,
            looks_up=self.looks_up or other.looks_up,
            writes=self.writes.plus(other.writes),
            paused={name: self.paused.get(name, False) or other.paused.get(name, False) for name in names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signings:
    """What became of the attestations of a session."""

    signed: int = 0
    failed: int = 0
    """Those that are not signed by all signers, whether they wait or not."""
    problems: Sequence[str] = ()
    """Why, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """All that a session leaves for metrics."""

    outcome: str
    """``passed``, ``failed``, ``interrupted`` or ``error``."""
    verifications: Sequence[Verification]
    critical: Mapping[str, bool]
    """Whether each artifact of the project is critical, by name."""
    never_cached: Collection[str] = ()
    """The names of artifacts whose verdicts are never cached."""
    left_out: int = 0
    """How many artifacts are not in the sample."""
    services: Services = field(default_factory=Services)
    tiers: TierUse | None = None
    """How the local and the remote store were used; None without a remote one."""
    signings: Signings = field(default_factory=Signings)
    problems: Sequence[str] = ()
    """Problems with the store and the like, one sentence each."""


def inspect_services(running: RunningSession, *, answers: bool) -> Services:
    """Return how the services of a session are now; `answers` says whether cached verdicts are wanted."""
    cache = running.context.cache
    paused = {"registry": bool(getattr(running.context.images, "is_paused", False))}
    if running.farm:
        paused["farm"] = bool(getattr(running.farm, "is_paused", False))
    if cache is None:
        return Services(store_up=False if running.no_cache else None, paused=paused)
    if isinstance(cache.store, Tiered):
        paused["remote_store"] = cache.store.is_remote_paused
    guard = cache.guard
    paused["store"] = guard.is_paused
    writes = guard.writes
    works = not writes.attempted or writes.failed < writes.attempted
    return Services(store_up=works and not guard.is_paused, looks_up=answers, writes=writes, paused=paused)
