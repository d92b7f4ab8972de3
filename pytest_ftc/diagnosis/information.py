"""How much a build is expected to tell of what causes a difference, in bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2

from pytest_ftc.diagnosis.group_testing import Group
from pytest_ftc.diagnosis.posterior import Belief, Hypothesis

_Outcomes = tuple[float, float, float, float]
"""How likely each outcome is together with one cause, and how uncertain it then is, in bits."""


def information(belief: Belief, groups: Iterable[Group]) -> Mapping[Group, float]:
    """Return for each of `groups` how many bits a build that varies it is expected to tell."""
    # At which rate, and of how many values, something is drawn is not asked.
    causes: dict[Group, list[tuple[Hypothesis, float]]] = {}
    for one, weight in belief.weights:
        causes.setdefault(one.names or frozenset({one.kind.value}), []).append((one, weight))
    tables = [(weighed[0][0].names, _tabulate(weighed)) for weighed in causes.values()]
    return {group: _bits(tables, group) for group in groups}


def _tabulate(weighed: Sequence[tuple[Hypothesis, float]]) -> Sequence[_Outcomes]:
    """Return the outcomes if nothing of a cause is varied, a part of it, and all of it: nothing else matters."""
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
    """Return the entropy of what has such weights, times their sum."""
    total = sum(weights)
    return -sum(weight * log2(weight / total) for weight in weights if weight > 0)


def after_the_likeliest(belief: Belief, varied: Group) -> Belief:
    """Return what is believed after a build with `varied` if its outcome is the likeliest one."""
    told = [(one, weight, one.chances(varied)) for one, weight in belief.weights]
    outcome = max(range(3), key=lambda number: sum(weight * chances[number] for _, weight, chances in told))
    total = sum(weight * chances[outcome] for _, weight, chances in told)
    return Belief(tuple((one, weight * chances[outcome] / total) for one, weight, chances in told))
