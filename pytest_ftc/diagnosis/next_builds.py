"""Which builds tell most of what causes a difference."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate

from pytest_ftc.diagnosis.group_testing import UNSETTLING, Group, comes_by_itself, with_entailed, without
from pytest_ftc.diagnosis.information import after_the_likeliest, information
from pytest_ftc.diagnosis.posterior import SURE, Belief, Kind, Question, believe

_NEGLIGIBLE = 0.02
"""A variation less likely than this to be a cause as well is not asked about any more."""
_LEAST = 5e-4
"""Bits: a build expected to tell less is not worth it."""
_MOST_BUILDS = 30
"""Builds on one difference, which chance may leave undecided."""
_ALONE, _LEFT_OUT = 6, 4
_IF_SURPRISED, _NEARLY = 0.1, 0.9


def next_groups(question: Question, evident: Collection[str]) -> Sequence[Group]:
    """Return the groups to vary next, the most telling first; none when nothing is left to find out.

    `evident` are causes whose own values stand on both sides.
    """
    return _next_groups(question, frozenset(evident))


@lru_cache(maxsize=4096)
def _next_groups(question: Question, evident: Group) -> tuple[Group, ...]:
    if len(question.observations) > _MOST_BUILDS or is_settled(question, evident):
        return ()
    unsettling = [frozenset({name}) for name in UNSETTLING & evident & question.everything]
    if unsettling and (evident <= UNSETTLING or not any(one.varied in unsettling for one in question.observations)):
        # With anything else varied it shows as well, which tells nothing.
        varied = [one.varied for one in question.observations]
        return tuple(sorted((unsettling[0], frozenset[str]()), key=varied.count))
    belief = believe(question)
    belief = Belief(tuple((one, weight) for one, weight in belief.weights if weight > 1e-6))
    candidates = list(dict.fromkeys(_candidates(belief, question.everything)))
    told = information(belief, candidates)
    first = _best(told)
    if told[first] < _LEAST:
        return ()
    then = information(after_the_likeliest(belief, first), candidates)
    # It is built beside the first, so what it tells if that one is a surprise counts a little too.
    second = _best({group: then[group] + _IF_SURPRISED * told[group] for group in candidates})
    return (first, second)


def _best(told: Mapping[Group, float]) -> Group:
    """Return the first group that tells nearly most: those that leave fewer questions come first."""
    most = max(told.values())
    return next(group for group in told if told[group] >= _NEARLY * most)


def is_settled(question: Question, evident: Collection[str]) -> bool:
    """Return whether the causes are known, and no other variation may well be one."""
    belief = believe(question)
    if comes_by_itself(question.observations) and belief.by_kind(Kind.RANDOM, Kind.CLOCK) >= SURE:
        return True
    likely = {name: belief.probability(name) for name in question.everything}
    sure = {name for name in likely if likely[name] >= SURE}
    if not sure:
        return False
    if sure & UNSETTLING & set(evident):
        return all(name in sure or likely[name] <= _NEGLIGIBLE for name in likely if name in evident)
    return all(name in sure or likely[name] <= _NEGLIGIBLE for name in likely)


def _candidates(belief: Belief, everything: Group) -> Iterator[Group]:
    """Yield groups that may tell something: nothing, little, about half of all suspicion, and nearly all."""
    yield frozenset()
    likely = {name: belief.probability(name) for name in everything}
    ranked = sorted(everything, key=lambda name: (-likely[name], name))
    known = frozenset(name for name in ranked if likely[name] >= 0.5)
    yield without(everything, known)
    yield from (without(everything, frozenset({name})) for name in ranked[:_LEFT_OUT])
    yield from (with_entailed(frozenset({name}), everything) for name in ranked[:_ALONE])
    open_ones = [name for name in ranked if name not in known]
    for names in (open_ones, ranked):
        sums = list(accumulate(likely[name] for name in names))
        for part in (0.25, 0.5, 0.75):
            head = next((index for index, reached in enumerate(sums) if reached >= part * sums[-1]), 0) + 1
            yield with_entailed(frozenset(names[:head]), everything)
            yield without(everything, known | frozenset(names[:head]))
