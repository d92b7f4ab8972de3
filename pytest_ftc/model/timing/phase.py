"""One phase of a session: what was done, for what, when and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class PhaseKind(str, Enum):
    """What is done in a phase.  The values are also the names of spans."""

    ARTIFACT = "artifact"
    """The whole verification of an artifact."""
    QUEUE = "queue"
    """An artifact, or a build that is set up, waits until it may run."""
    PREPARE = "prepare"
    """Sources are captured and requirements installed or, at the end, what the builds were made from is recorded."""
    PLAN = "plan"
    SETUP = "setup"
    """The environment of a build is set up."""
    GAP = "gap"
    """A build that is set up waits, so that two builds do not start in the same second."""
    BUILD = "build"
    """One build with all its attempts."""
    ATTEMPT = "attempt"
    EXECUTE = "execute"
    """A farm has an attempt: its queue, its worker, the transfers of both."""
    COMPARE = "compare"
    DIAGNOSE = "diagnose"
    STORE_GET = "store get"
    """A verdict is looked up in the cache."""
    STORE_PUT = "store put"
    """A verdict and its outputs are added to the cache."""
    SIGN = "sign"
    PUBLISH = "publish"


Value = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase that has ended."""

    id: str
    """16 random hexadecimal digits: the ID of its span."""
    parent: str
    """The ID of the enclosing phase; for an outermost one that of the session's span."""
    kind: PhaseKind
    name: str
    """Of the build or the artifact; empty where the kind says all."""
    started: float
    """Seconds since 1970."""
    seconds: float
    attributes: Mapping[str, Value] = field(default_factory=dict)
    problem: str = ""
    """Why it failed; empty if it did not."""
