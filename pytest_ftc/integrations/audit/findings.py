"""What an audit says of one action."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Standing(str, Enum):
    """What is true of an action's cached result; of several, the first here that applies."""

    ALTERED = "altered"
    """A blob has not the bytes that its digest promises."""
    DANGLING = "dangling"
    """The result names blobs that are gone."""
    UNREPRODUCIBLE = "unreproducible"
    """Two executions give different outputs."""
    DIFFERS = "differs"
    """All executions give the same outputs, and the cached ones are others: stale or poisoned."""
    FAILS = "fails"
    """The command succeeded once, and fails now."""
    FRAGILE = "fragile"
    """It breaks under a variation."""
    INCONCLUSIVE = "inconclusive"
    """It could not be executed, or not all of it could be checked."""
    INTACT = "intact"
    """All blobs are there and as their digests promise; it was not executed."""
    REPRODUCIBLE = "reproducible"
    """Executions in different environments give the cached outputs."""
    ABSENT = "absent"
    """The action cache has no result for it."""


WRONG = (
    Standing.ALTERED, Standing.DANGLING, Standing.UNREPRODUCIBLE, Standing.DIFFERS, Standing.FAILS, Standing.FRAGILE,
)  # fmt: skip
"""What is wrong with a cache entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFound:
    """Where the outputs of two executions differ, and by what cause."""

    output: str
    place: str
    """The member and the location in it; empty for the whole output."""
    cause: str
    confirmed: bool
    """Whether more executions have confirmed the cause."""
    control: str
    """The value in the control's execution."""
    experiment: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAction:
    """The result of auditing one action."""

    action: str
    """Its digest, ``HASH/SIZE``."""
    label: str
    command: str
    """Its command, shortened; empty if unknown."""
    standing: Standing
    reason: str = ""
    """Why, in one line."""
    problems: tuple[str, ...] = ()
    """All that is wrong, one sentence each, also beside the standing."""
    found: tuple[PlaceFound, ...] = ()
    result: str = ""
    """The digest of the cached ActionResult; empty if there is none."""
    outputs: tuple[tuple[str, str], ...] = ()
    """The paths of the cached outputs, each with its digest ``HASH/SIZE``, as far as known; the first ones of many."""
    varied: tuple[str, ...] = ()
    not_varied: tuple[tuple[str, str], ...] = ()
    """Variations that could not be applied, each with the reason."""
    executions: int = 0
    notes: tuple[str, ...] = ()
    resumed: bool = False
    """Whether an earlier audit has found this."""
