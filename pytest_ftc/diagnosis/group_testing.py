"""Which variations cause a difference: found by leaving groups of them out, many differences at once.

A difference that goes away without a group of variations is caused by some of it.  The smallest such group is looked
for as in delta debugging (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002), except that
the group one suspects is tried first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Group = frozenset[str]


@dataclass(frozen=True, slots=True)
class Observation:
    """A build: what was left out of all variations, and whether the difference was there."""

    left_out: Group
    shows: bool | None
    """None when the build failed, and nothing is known."""


def smallest_healing(everything: Group, observations: Sequence[Observation]) -> Group | None:
    """Return the smallest group known to make the difference go away; None when not even leaving out all does."""
    healing = [one.left_out for one in observations if one.shows is False]
    if any(one.shows for one in observations if one.left_out == everything):
        return None
    return min(healing, key=lambda group: (len(group), sorted(group)), default=everything)


def is_minimal(group: Group, observations: Sequence[Observation]) -> bool:
    """Return whether no part of `group` makes the difference go away: with each one of it back, it showed."""
    shown = {one.left_out for one in observations if one.shows}
    return all(group - {name} in shown or len(group) == 1 for name in group)


def contradicts_itself(observations: Sequence[Observation]) -> bool:
    """Return whether the difference showed although more was left out than what once made it go away.

    Then it comes and goes by itself.
    """
    healing = [one.left_out for one in observations if one.shows is False]
    return any(one.shows and any(group <= one.left_out for group in healing) for one in observations)


def next_groups(everything: Group, suspects: Sequence[str], observations: Sequence[Observation]) -> Iterator[Group]:
    """Yield the groups to leave out next, the most telling first; none when nothing is left to find out."""
    tried = {one.left_out for one in observations}
    healing = smallest_healing(everything, observations)
    if healing is None or is_minimal(healing, observations) or contradicts_itself(observations):
        return
    likely = [name for name in dict.fromkeys(suspects) if name in healing]
    proposals = [frozenset(likely[: number + 1]) for number in range(len(likely))]
    rest = sorted(healing - set(likely))
    ordered = [*likely, *rest]
    if len(rest) > 1 or not likely:
        middle = len(ordered) // 2
        proposals += [frozenset(ordered[:middle]), frozenset(ordered[middle:])]
    if len(rest) > 4:
        proposals += [healing - frozenset(rest[start::4]) for start in range(4)]
    proposals += [healing - {name} for name in reversed(ordered)]
    yield from (group for group in dict.fromkeys(proposals) if group and group < healing and group not in tried)


def share(proposals: Mapping[object, Sequence[Group]], most: int) -> list[Group]:
    """Return at most `most` groups to build next: those first that serve most of the differences, each by its own."""
    votes: dict[Group, float] = {}
    for groups in proposals.values():
        for place, group in enumerate(groups[:2]):
            votes[group] = votes.get(group, 0) + (1 if place == 0 else 0.4)
    return sorted(votes, key=lambda group: (-votes[group], len(group), sorted(group)))[:most]
