"""Which variations cause a difference: found by varying only some of them, many differences at once.

Each cause is taken to make the difference show whatever else is varied.  Then a build in which it does not show clears
all that was varied there, and one in which it shows has a cause among what was varied: group testing, as Dorfman had it
(The Detection of Defective Members of Large Populations, 1943), here with the group one suspects tried first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log2

from pytest_ftc.model import Cause

Group = frozenset[str]

_ENTAILS: Mapping[str, str] = {Cause.FILEORDERING: Cause.FILESYSTEM}
"""Files are put in another order on a file system of another type."""
_MOST_REPEATS = 3
"""Builds with nothing varied, where a difference may come and go by itself."""
_ENOUGH = 3
_HIDDEN: Mapping[str, int] = {
    Cause.TERMINAL: 5,
    Cause.LOCALES: 5,
    Cause.NUM_CPUS: 4,
    Cause.HASH_SEED: 3,
    Cause.NETWORK: 3,
    Cause.FILEORDERING: 3,
    Cause.TIMEZONE: 2,
    Cause.EXEC_PATH: 2,
    Cause.FILESYSTEM: 2,
    Cause.ASLR: 2,
    Cause.KERNEL: 2,
    Cause.PID: 2,
}
"""How often a cause is one that its values do not show, as against 1 for all others."""
_UNSETTLING: Group = frozenset({Cause.ASLR})
"""Where this is proved and evident, other causes are not: an address moves with all that is laid out in memory."""
_FEW = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """A build: what was varied in it, `with_entailed`, and whether the difference was there."""

    varied: Group
    shows: bool


def with_entailed(group: Group, everything: Group) -> Group:
    """Return `group` with what of `everything` cannot but vary when it does."""
    return group | everything.intersection(_ENTAILS[name] for name in group if name in _ENTAILS)


def _without(everything: Group, group: Group) -> Group:
    return everything - group - {name for name, entailed in _ENTAILS.items() if entailed in group}


def suspects_left(everything: Group, observations: Iterable[Observation]) -> Group:
    """Return the variations that no build has cleared."""
    return everything.difference(*(one.varied for one in observations if not one.shows))


def narrowed(everything: Group, observations: Sequence[Observation]) -> Group:
    """Return the smallest group in which builds have shown a cause to be, without what others have cleared."""
    left = suspects_left(everything, observations)
    return min(
        (one.varied & left for one in observations if one.shows), key=lambda g: (len(g), sorted(g)), default=left
    )


def likeliest(left: Group) -> str:
    """Return which of the few variations `left` is most often a cause that its values do not show; empty for many."""
    return max(sorted(left), key=lambda name: _HIDDEN.get(name, 1)) if 0 < len(left) <= _FEW else ""


def only_unsettled(proved: Group, evident: Collection[str]) -> Group:
    """Return those of `proved` that are causes by themselves: not what only moves addresses that are random anyway."""
    return proved & frozenset(evident) if proved & _UNSETTLING & set(evident) else proved


def proved_causes(everything: Group, observations: Sequence[Observation]) -> Group:
    """Return the variations that cause the difference by themselves: where it showed, all else varied was cleared."""
    left = suspects_left(everything, observations)
    groups = [one.varied & left for one in observations if one.shows]
    return frozenset(name for group in groups if len(group) == 1 for name in group)


def comes_by_itself(observations: Iterable[Observation]) -> bool:
    """Return whether the difference showed with nothing varied."""
    return any(one.shows and not one.varied for one in observations)


def needs_several(everything: Group, observations: Sequence[Observation]) -> bool:
    """Return whether the difference showed although all that was varied had been cleared.

    Then it shows when several variations meet, or it comes and goes by itself.
    """
    left = suspects_left(everything, observations)
    return any(one.shows and not one.varied & left for one in observations)


def smallest_healing(everything: Group, observations: Iterable[Observation]) -> Group:
    """Return the smallest group without which the difference did not show."""
    healing = [everything - one.varied for one in observations if not one.shows]
    return min(healing, key=lambda group: (len(group), sorted(group)), default=everything)


def is_sure(name: str, everything: Group, observations: Sequence[Observation]) -> bool:
    """Return whether chance is unlikely to have proved `name`: it was seen to act, and to be missed, more than once."""
    left = suspects_left(everything, observations)
    acted = sum(one.varied & left == {name} for one in observations if one.shows)
    missed = sum(not one.varied & left for one in observations if not one.shows)
    return acted >= _ENOUGH and missed >= _ENOUGH


def next_groups(
    everything: Group, suspects: Sequence[str], evident: Collection[str], observations: Sequence[Observation]
) -> Iterator[Group]:
    """Yield the groups to vary next, the most telling first; none when nothing is left to find out.

    `evident` are those of `suspects` that the values speak for so clearly that chance need not be ruled out.
    """
    if comes_by_itself(observations):
        return
    if needs_several(everything, observations):
        if sum(not one.varied for one in observations) < _MOST_REPEATS:
            yield frozenset()
        return
    left = suspects_left(everything, observations)
    proved = proved_causes(everything, observations)
    shown = [one.varied & left for one in observations if one.shows]
    if proved & _UNSETTLING & set(evident):
        for name in evident:
            if name in left - proved:
                yield with_entailed(frozenset({name}), everything)
        return
    for proposal in _proposals(everything, left, proved, suspects, evident, shown):
        group = with_entailed(proposal, everything)
        if group & left not in shown and group & left:
            yield group
    for name in sorted(proved - set(evident)):
        if not is_sure(name, everything, observations):
            yield (
                with_entailed(frozenset({name}), everything)
                if shown.count(frozenset({name})) < _ENOUGH
                else frozenset()
            )


def _proposals(
    everything: Group,
    left: Group,
    proved: Group,
    suspects: Sequence[str],
    evident: Collection[str],
    shown: Sequence[Group],
) -> Iterator[Group]:
    likely = [name for name in dict.fromkeys(suspects) if name in left - proved]
    if likely and not proved:
        yield _without(everything, frozenset(likely[:1]))
    # What the values speak for, but is not all there is, since it shows without it too.
    yield from (frozenset({name}) for name in likely if name in evident and any(name not in group for group in shown))
    if proved:
        yield _without(everything, proved)
    # In each of these there is a cause that is not known yet; the smallest is halved.
    unknown = [group for group in shown if not group & proved]
    if not unknown:
        return
    core = min(unknown, key=lambda group: (len(group), sorted(group)))
    yield from (frozenset({name}) for name in likely if name in core)
    # What entails another comes after it, as it cannot be varied without.
    ordered = sorted(
        core - set(likely), key=lambda name: (name in _ENTAILS, -sum(name in group for group in unknown), name)
    )
    if ordered:
        yield frozenset(_first_half(ordered))


def _first_half(names: Sequence[str]) -> Sequence[str]:
    """Return those of `names` in whom half of all suspicion lies."""
    sums = list(accumulate(_HIDDEN.get(name, 1) for name in names))
    return names[: min(range(len(names)), key=lambda index: abs(2 * sums[index] - sums[-1])) + 1]


def share(proposals: Mapping[object, Sequence[Group]], most: int) -> list[Group]:
    """Return at most `most` groups to build next: those first that serve most of the differences, each by its own.

    A hundred members of an archive that ask the same are little more than one: else they would use up all builds.
    """
    questions = Counter(tuple(groups[:2]) for groups in proposals.values())
    votes: dict[Group, float] = {}
    for groups, count in questions.items():
        for place, group in enumerate(groups):
            votes[group] = votes.get(group, 0) + (1 if place == 0 else 0.4) * (1 + log2(count))
    return sorted(votes, key=lambda group: (-votes[group], -len(group), sorted(group)))[:most]
