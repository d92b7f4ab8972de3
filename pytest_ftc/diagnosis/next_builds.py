"""Selecting the builds with the most expected information about the cause of a difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from math import log2

from pytest_ftc.diagnosis.group_testing import (
    UNSETTLING,
    Group,
    comes_by_itself,
    suspects_left,
    with_entailed,
    without,
)
from pytest_ftc.diagnosis.hypotheses import Hypothesis, Kind
from pytest_ftc.diagnosis.posterior import SURE, Belief, Question, believe, is_sure

_NEGLIGIBLE = 0.02
"""Probability below which a further variation is no longer investigated."""
_LEAST = 5e-4
"""Least expected information of a build that is worth running, in bits."""
_MOST_BUILDS = 40
"""Most builds for one difference, since chance may leave it undecided."""
_BY_ITSELF = 1 - (1 - SURE) / 50
"""Probability from which a difference counts as inherent, so that its kind can still reach `SURE`."""
MOST_REPEATS = 3
"""Most builds that vary the same, unless it differs by itself: what they have in common tells no more."""
_ALONE, _LEFT_OUT = 6, 4
_IF_SURPRISED, _NEARLY = 0.1, 0.9


def next_groups(question: Question, evident: Collection[str]) -> Sequence[Group]:
    """Return the groups to vary next, most informative first; empty if the case is settled.

    `evident` holds the causes whose planted values appear on both sides.
    """
    return _next_groups(question, frozenset(evident))


def groups_beside_none(question: Question, evident: Collection[str]) -> Sequence[Group]:
    """Return the groups to vary beside a build that varies nothing, most informative first; empty if settled."""
    return _groups_beside_none(question, frozenset(evident))


@lru_cache(maxsize=4096)
def _groups_beside_none(question: Question, evident: Group) -> tuple[Group, ...]:
    groups = _next_groups(question, evident)
    if groups and UNSETTLING.isdisjoint(evident):
        belief, candidates = _consider(question)
        then = information(after_the_likeliest(belief, frozenset()), candidates)
        groups = (_best(then), *groups)
    return tuple(group for group in dict.fromkeys(groups) if group)


@lru_cache(maxsize=4096)
def _next_groups(question: Question, evident: Group) -> tuple[Group, ...]:
    if len(question.observations) > _MOST_BUILDS or is_settled(question, evident):
        return ()
    unsettling = [frozenset({name}) for name in sorted(UNSETTLING & evident & question.everything)]
    if unsettling and (evident <= UNSETTLING or not any(one.varied in unsettling for one in question.observations)):
        # The difference also shows when anything else is varied, so other builds give no information.
        varied = [one.varied for one in question.observations]
        return tuple(sorted((unsettling[0], frozenset[str]()), key=varied.count))
    belief, candidates = _consider(question)
    expected = information(belief, candidates)
    first = _best(expected)
    if expected[first] < _LEAST:
        return ()
    then = information(after_the_likeliest(belief, first), candidates)
    # It is built in parallel to the first, so its information after a surprise there counts a little too.
    second = _best({group: then[group] + _IF_SURPRISED * expected[group] for group in candidates})
    return (first, second)


def _consider(question: Question) -> tuple[Belief, Sequence[Group]]:
    """Return the belief without negligible hypotheses, and the groups that may be informative."""
    belief = Belief(tuple((one, weight) for one, weight in believe(question).weights if weight > 1e-6))
    varied = Counter(one.varied for one in question.observations)
    told = {group for group, count in varied.items() if group and count >= MOST_REPEATS}
    return belief, [group for group in dict.fromkeys(_candidates(belief, question.everything)) if group not in told]


def _best(expected: Mapping[Group, float]) -> Group:
    """Return the first group with nearly the most `expected` information; simpler groups come first."""
    most = max(expected.values())
    return next(group for group in expected if expected[group] >= _NEARLY * most)


def is_settled(question: Question, evident: Collection[str]) -> bool:
    """Return whether the causes are known, and all other variations are unlikely."""
    belief = believe(question)
    if comes_by_itself(question.observations) and belief.by_kind(Kind.RANDOM, Kind.CLOCK) >= _BY_ITSELF:
        return True
    likely = {name: belief.probability(name) for name in question.everything}
    sure = {name for name in likely if is_sure(likely[name], name in evident)}
    if not sure:
        return False
    if sure & UNSETTLING & set(evident):
        return all(name in sure or likely[name] <= _NEGLIGIBLE for name in likely if name in evident)
    beside = without(question.everything, frozenset(sure))
    if len(sure) > 1 and beside & suspects_left(question.everything, question.observations):
        # What has several causes may well have another, which only a build without them all can rule out.
        return False
    return all(name in sure or likely[name] <= _NEGLIGIBLE for name in likely)


def _candidates(belief: Belief, everything: Group) -> Iterator[Group]:
    """Yield groups that may be informative: none, few, about half of the probability, and nearly all."""
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


_Outcomes = tuple[float, float, float, float]
"""Joint probability of each outcome with one cause, and the remaining entropy, in bits."""


def information(belief: Belief, groups: Iterable[Group]) -> Mapping[Group, float]:
    """Return for each of `groups` the expected information of a build that varies it, in bits."""
    # The rate and the number of values of a random difference are not of interest.
    causes: dict[Group, list[tuple[Hypothesis, float]]] = {}
    for one, weight in belief.weights:
        causes.setdefault(one.names or frozenset({one.kind.value}), []).append((one, weight))
    tables = [(weighed[0][0].names, _tabulate(weighed)) for weighed in causes.values()]
    return {group: _bits(tables, group) for group in groups}


def _tabulate(weighed: Sequence[tuple[Hypothesis, float]]) -> Sequence[_Outcomes]:
    """Return the outcomes if none, a part or all of a cause is varied; nothing else matters."""
    names = weighed[0][0].names
    part = frozenset(sorted(names)[:1])
    return [_outcomes(weighed, varied) for varied in (frozenset[str](), part, names)]


def _outcomes(weighed: Sequence[tuple[Hypothesis, float]], varied: Group) -> _Outcomes:
    same = again = other = 0.0
    for one, weight in weighed:
        chances = one.chances(varied)
        same += weight * chances[0]
        again += weight * chances[1]
        other += weight * chances[2]
    return same, again, other, _entropy((same, again, other))


def _bits(tables: Iterable[tuple[Group, Sequence[_Outcomes]]], varied: Group) -> float:
    same = again = other = uncertain = 0.0
    for names, table in tables:
        row = table[0 if names.isdisjoint(varied) else 2 if names <= varied else 1]
        same += row[0]
        again += row[1]
        other += row[2]
        uncertain += row[3]
    return _entropy((same, again, other)) - uncertain


def _entropy(weights: Sequence[float]) -> float:
    """Return the entropy of the normalized weights, multiplied by their sum."""
    total = sum(weights)
    return -sum(weight * log2(weight / total) for weight in weights if weight > 0)


def after_the_likeliest(belief: Belief, varied: Group) -> Belief:
    """Return the posterior after a build with `varied` that has the likeliest outcome."""
    weighed = [(one, weight, one.chances(varied)) for one, weight in belief.weights]
    outcome = max(range(3), key=lambda number: sum(weight * chances[number] for _, weight, chances in weighed))
    total = sum(weight * chances[outcome] for _, weight, chances in weighed)
    return Belief(tuple((one, weight * chances[outcome] / total) for one, weight, chances in weighed))
