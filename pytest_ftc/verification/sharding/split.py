"""The division of artifacts into parts, which depends on nothing but what is given here."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pytest_ftc.verification.sharding.shard import Shard


@dataclass(frozen=True, slots=True)
class Split:
    """A division of artifacts into parts."""

    parts: Sequence[Sequence[str]]
    """The IDs in each part, sorted."""
    seconds: Sequence[float]
    """What each part is expected to take."""
    known: int
    """For how many of the artifacts that is known."""

    @property
    def digest(self) -> str:
        """A digest of the parts: equal where machines have divided the same artifacts in the same way."""
        text = json.dumps([list(part) for part in self.parts], separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def split(ids: Collection[str], seconds: Mapping[str, float], count: int) -> Split:
    """Divide the artifacts `ids` into `count` parts that take about the same time, by what each takes in `seconds`.

    The longest come first, each into the part that has the least to do then.  One that `seconds` lacks counts as much
    as the median of the others, or all count the same.
    """
    known = {one: max(1, round(seconds[one] * 1000)) for one in set(ids) if one in seconds}
    # Whole milliseconds: the sum of floats would depend on their order.
    usual = round(median(known.values())) if known else 1
    costs = {one: known.get(one, usual) for one in ids}
    loads = [(0, 0, place) for place in range(count)]
    parts: list[list[str]] = [[] for _ in range(count)]
    for one in sorted(costs, key=lambda one: (-costs[one], one)):
        load, number, place = loads[0]
        parts[place].append(one)
        heapq.heapreplace(loads, (load + costs[one], number + 1, place))
    ends = {place: load / 1000 for load, _, place in loads}
    return Split([sorted(part) for part in parts], [ends[place] for place in range(count)], len(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a session verifies of a split."""

    number: int
    """From 1 to `count`."""
    count: int
    """How many parts there are."""
    artifacts: tuple[str, ...]
    """The IDs of its artifacts, sorted."""
    total: int
    """How many artifacts all parts have."""
    seconds: float | None
    """What their builds are expected to take; None if that is known of no artifact."""
    split: str
    """The digest of the split."""

    @classmethod
    def of(cls, divided: Split, shard: Shard) -> Part:
        """Return the part `shard` of what was `divided`."""
        place = shard.number - 1
        return cls(
            number=shard.number,
            count=shard.count,
            artifacts=tuple(divided.parts[place]),
            total=sum(map(len, divided.parts)),
            seconds=round(divided.seconds[place], 1) if divided.known else None,
            split=divided.digest,
        )

    def describe(self) -> str:
        """Return what it has, and what is left to the other parts, in one line."""
        whole = f"{self.total} artifact{'s' * (self.total != 1)}"
        if not self.artifacts:
            return f"{self.number} of {self.count}: none of {whole}; nothing to verify"
        if self.seconds is None:
            time = "; divided by number, since no durations are known"
        else:
            time = f", about {max(1, round(self.seconds))} s of builds"
        return f"{self.number} of {self.count}: {len(self.artifacts)} of {whole}{time}"
