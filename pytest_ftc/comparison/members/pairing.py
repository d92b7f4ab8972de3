"""Matching the members of two containers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_ftc.comparison.likeness import Named, changed_words, pair_alike
from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.sketches import sketch_member
from pytest_ftc.comparison.members.span import same

_MOST_NAMES, _MOST_CANDIDATES = 32, 8
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same member in both builds; its names differ if it was matched by content or by the rest of its name."""

    control: Member
    experiment: Member


@dataclass(frozen=True, slots=True)
class Pairing:
    """All members of two containers."""

    pairs: tuple[Pair, ...]
    control_only: tuple[Member, ...]
    experiment_only: tuple[Member, ...]
    order: tuple[bytes, bytes] | None
    """Names of the common members, one a line, if their order differs."""


def pair_members(control: Sequence[Member], experiment: Sequence[Member], budget: Budget) -> Pairing:
    """Pair members by name, then the remaining ones by content, then those named by a digest or a random word.

    Raises OutOfTimeError.
    """
    left, right = _key(control), _key(experiment)
    pairs = [Pair(left[key], right[key]) for key in left if key in right]
    control_only = [left[key] for key in left if key not in right]
    experiment_only = [right[key] for key in right if key not in left]
    renamed = _find_renamed(control_only, experiment_only, budget)
    renamed += _find_alike(*_without(renamed, control_only, experiment_only), budget)
    control_only, experiment_only = _without(renamed, control_only, experiment_only)
    return Pairing(
        pairs=tuple(sorted((*renamed, *pairs), key=lambda pair: pair.control.follows)),
        control_only=tuple(control_only),
        experiment_only=tuple(experiment_only),
        order=_order(pairs, experiment) or _order(_with_one_change(renamed, control), experiment),
    )


def group_renamed(pairs: Iterable[Pair]) -> Iterable[Sequence[Pair]]:
    """Return the pairs with different names, grouped by the words in which these differ."""
    groups: dict[object, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.control.name != pair.experiment.name:
            groups[changed_words(pair.control.name, pair.experiment.name)].append(pair)
    return groups.values()


def _order(pairs: Sequence[Pair], experiment: Sequence[Member]) -> tuple[bytes, bytes] | None:
    """Return the names in the control's order and in that of the `experiment`; None if it is the same."""
    places = {id(member): number for number, member in enumerate(experiment)}
    moved = sorted(pairs, key=lambda pair: places[id(pair.experiment)])
    return (_list(pairs), _list(moved)) if moved != list(pairs) else None


def _with_one_change(renamed: Sequence[Pair], control: Sequence[Member]) -> Sequence[Pair]:
    """Return these pairs in the control's order if their names differ in the same words, as by a folder of them all.

    Others may be sorted by what differs in their names.
    """
    if len(list(group_renamed(renamed))) != 1:
        return ()
    places = {id(member): number for number, member in enumerate(control)}
    return sorted(renamed, key=lambda pair: places[id(pair.control)])


def _key(members: Sequence[Member]) -> dict[Key, Member]:
    """Pair repeated names by their order of occurrence."""
    seen: Counter[str] = Counter()
    keyed = {}
    for member in members:
        keyed[member.name, seen[member.name]] = member
        seen[member.name] += 1
    return keyed


def _find_renamed(control: Sequence[Member], experiment: Sequence[Member], budget: Budget) -> list[Pair]:
    by_size: dict[int, list[Member]] = defaultdict(list)
    for member in experiment:
        if member.stored and member.stored.size:
            by_size[member.stored.size].append(member)
    pairs = []
    for member in control:
        candidates = by_size.get(member.stored.size, []) if member.stored else []
        for candidate in sorted(candidates[:_MOST_NAMES], key=partial(_unlikeness, member))[:_MOST_CANDIDATES]:
            if member.stored and candidate.stored and same(member.stored, candidate.stored, budget):
                pairs.append(Pair(member, candidate))
                candidates.remove(candidate)
                break
    return pairs


def _unlikeness(one: Member, other: Member) -> int:
    words = changed_words(one.name, other.name)
    return len(words) if words != ((one.name, other.name),) else len(one.name)


def _without(
    pairs: Sequence[Pair], control: Sequence[Member], experiment: Sequence[Member]
) -> tuple[list[Member], list[Member]]:
    known = {id(member) for pair in pairs for member in (pair.control, pair.experiment)}
    one, other = ([member for member in side if id(member) not in known] for side in (control, experiment))
    return one, other


def _find_alike(control: Sequence[Member], experiment: Sequence[Member], budget: Budget) -> list[Pair]:
    if not control or not experiment:
        return []
    ours, theirs = (
        [Named(member.name, member, bool(member.part)) for member in side] for side in (control, experiment)
    )
    pairs = pair_alike(ours, theirs, lambda member: sketch_member(member, budget))
    return [Pair(one.thing, other.thing) for one, other in pairs]


def _list(pairs: Iterable[Pair]) -> bytes:
    names = (pair.control.name for pair in pairs)
    return "".join(f"{name}\n" for name in names if name).encode(errors="surrogateescape")
