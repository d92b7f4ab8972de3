"""The probability of each cause of one difference, given the builds so far.

The model is group testing with noise (Dorfman, The Detection of Defective Members of Large Populations, 1943; Atia and
Saligrama, Boolean Compressed Sensing and Noisy Group Testing, 2012), read as Bayesian experimental design (Lindley,
On a Measure of the Information Provided by an Experiment, 1956).  Each hypothesis is one way in which it may arise:

- ``ANY``: it shows when any variation of a set is varied: each alone, all pairs, all triples, and larger sets of those
  that the values suggest or that were seen to act alone;
- ``ALL``: it shows only when both variations of a pair are varied;
- ``SOMETIMES``: it shows at some rate when one variation is varied, and never without;
- ``RANDOM``: it shows at some rate whatever is varied, with few or many possible values; a race looks the same;
- ``CLOCK``: it follows from the real clock, so it shows unless a build starts at the time of the control.

Each hypothesis has a prior, which matching values raise, and each build multiplies it by the likelihood of its outcome.
The probabilities are normalized over all hypotheses, so the choice among them is accounted for: one of twenty that fits
by luck gains nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import factorial, prod

from pytest_ftc.diagnosis.group_testing import HIDDEN, Group, Observation, suspects_left
from pytest_ftc.diagnosis.hypotheses import MISS, NO_LEAD, Hypothesis, Kind, equal_by_chance
from pytest_ftc.model import Cause, Strength, Suspicion

LIKELY = 0.5
SURE = 0.995
"""The posterior from which a cause counts as confirmed, and a remedy as proved."""
_SURE_UNSEEN = 0.998
"""That of a cause which no value shows: builds alone speak for it, and of many random outputs some fit it by luck."""
LEADS = (0.0, 0.3)
"""Seconds by which a build starts early, so that it reads the same second although it is a little slower."""

_PRIORS = {"any": 0.5, "all": 0.005, "sometimes": 0.01, "rarely": 1e-3, "random": 0.6, "clock": 0.1, "beside": 0.3}
_BY_SIZE = (0.0, 0.88, 0.09, 0.03)
"""Shares of the prior of ``ANY`` for sets of one, two and three; each further variation costs as much as the third."""
_WEIGHTS = {Strength.GUESS: 2.0, Strength.WEAK: 6.0, Strength.STRONG: 5e3, Strength.CERTAIN: 1e6}
"""Likelihood ratio of a match: its cause acts, against chance."""
_SHIFTING = frozenset({Cause.TIME, Cause.PID, Cause.ASLR, Cause.NUM_CPUS, Cause.NETWORK})
"""Causes that may give a different value in each build that varies them."""
_SHIFTS = 0.5
_RATES = (0.2, 0.35, 0.5, 0.65, 0.8)
_MOST_SUSPECTS, _MOST_BESIDE = 6, 3
_TELLING = 50.0
"""Lowest likelihood ratio at which a cause is considered beside a random value."""
ODDS_OF_ORDER = 400.0
"""Odds of a race against a random value if parts made by concurrent processes are in a different order."""
_UNIFORM: Mapping[float, float] = {
    2: 0.14, 3: 0.08, 4: 0.06, 5: 0.04, 6: 0.04, 8: 0.04, 10: 0.04, 16: 0.03, 32: 0.03, 100: 0.03, 1e9: 0.22,
}  # fmt: skip
"""Priors of random values, by the number of equally likely values."""
_MANY = 1e6
"""So many values that two never agree by chance."""
_SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
_OTHERS: Mapping[float, float] = {1: 0.6, 2: 0.16, 3: 0.12, 9: 0.1, 1e6: 0.08}
"""Priors of random values with one value of a given share, by the number of other, equally likely values."""

_LEADS: Mapping[float | None, float] = {None: 0.7, LEADS[0]: 0.15, LEADS[1]: 0.15}
"""Priors of times by the lead that hits the second of the control; None for both leads."""

_BESIDE = tuple(
    Hypothesis(Kind.RANDOM, rate=rate, others=others) for rate in (0.05, 0.2, 0.4, 0.6, 0.8) for others in (1.0, 9.0)
)
"""Random values considered beside any one variation."""


def is_sure(probability: float, seen: bool) -> bool:
    """Return whether a cause counts as confirmed; `seen` if values show it."""
    return probability >= (SURE if seen else _SURE_UNSEEN)


@dataclass(frozen=True, slots=True)
class Question:
    """The evidence and observations of one difference; the first observation is the experiment that showed it."""

    everything: Group
    evidence: tuple[tuple[str, float], ...]
    """Likelihood ratio of the values, by cause."""
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Belief:
    """The posterior probabilities of the hypotheses."""

    weights: tuple[tuple[Hypothesis, float], ...]
    """Hypotheses with their probabilities, which sum to 1."""

    def probability(self, name: str) -> float:
        """Return the probability that the variation `name` is a cause, alone or with others."""
        return sum(weight for one, weight in self.weights if name in one.names)

    def by_kind(self, *kinds: Kind) -> float:
        """Return the probability that the difference arises in one of these ways."""
        return sum(weight for one, weight in self.weights if one.kind in kinds)

    def luck(self, *, follows_varied_clock: bool = False) -> tuple[tuple[float, float], ...]:
        """Return rates at which two builds that differ in everything agree by luck: pairs of probability and rate.

        A time that `follows_varied_clock`, as its values show, is not the same because two builds start in one second.
        """
        rates: dict[float, float] = {}
        for one, weight in self.weights:
            equal = MISS if follows_varied_clock and _is_of_clock(one) else _equal_by_luck(one)
            rates[equal] = rates.get(equal, 0.0) + weight
        return tuple((weight, equal) for equal, weight in rates.items())


def _is_of_clock(one: Hypothesis) -> bool:
    """Return whether it is a time that differs between any two moments."""
    return one.kind is Kind.CLOCK and one.rate == 1.0


def _equal_by_luck(one: Hypothesis) -> float:
    if not one.names and (one.kind is Kind.RANDOM or (one.kind is Kind.CLOCK and one.rate < 1.0)):
        return equal_by_chance(one)
    if one.kind is Kind.SOMETIMES:
        return 1 - one.rate
    return 0.02 if one.kind is Kind.CLOCK else MISS


def weigh(suspicions: Iterable[Suspicion]) -> tuple[tuple[str, float], ...]:
    """Return the likelihood ratio of the values for each suspected cause: the cause acts, against chance.

    Short values match by chance: two single digits do so in one of a hundred pairs, even if each is its build's own.
    """
    return tuple(sorted((one.cause, _weigh(one)) for one in {one.cause: one for one in suspicions}.values()))


def _weigh(suspicion: Suspicion) -> float:
    weight = _WEIGHTS[suspicion.strength]
    if suspicion.strength is Strength.CERTAIN:
        return weight
    return min(weight, _possible(suspicion.control) * _possible(suspicion.experiment))


def _possible(text: str) -> float:
    """Return the number of possible values that look like `text`; an empty text, an absent value, has a fixed one."""
    if text.isalpha() and len(text) <= 9:
        return 12.0
    return 10.0 ** min(len(text), 9) if text else 30.0


@lru_cache(maxsize=4096)
def believe(question: Question) -> Belief:
    """Return the posterior of all hypotheses."""
    weighed = _multiply(question.everything, question.evidence, _acting(question), question.observations[1:])
    total = sum(weight for _, weight in weighed) or 1.0
    return Belief(tuple((one, weight / total) for one, weight in weighed if weight > total * 1e-9))


def _acting(question: Question) -> Group:
    """Return the variations with which it showed although no other that was varied may be a cause."""
    left = suspects_left(question.everything, question.observations)
    alone = (one.varied & left for one in question.observations if one.shows)
    return frozenset(name for group in alone if len(group) == 1 for name in group)


_Weighed = tuple[tuple[Hypothesis, float], ...]


@lru_cache(maxsize=4096)
def _multiply(
    everything: Group, evidence: tuple[tuple[str, float], ...], acting: Group, observations: tuple[Observation, ...]
) -> _Weighed:
    """Return the priors multiplied by the likelihoods of the `observations`, without negligible ones."""
    if not observations:
        return tuple((one, prior * one.rate) for one, prior in _hypotheses(everything, dict(evidence), acting))
    last = observations[-1]
    outcomes = last.outcomes
    weighed = []
    for one, weight in _multiply(everything, evidence, acting, observations[:-1]):
        chances = one.chances(last.varied, last.lead, fresh=last.fresh, stopped=last.stopped)
        likely = chances[outcomes[0]] if len(outcomes) == 1 else sum(chances[number] for number in outcomes)
        weighed.append((one, weight * likely))
    least = 1e-15 * sum(weight for _, weight in weighed)
    return tuple((one, weight) for one, weight in weighed if weight > least)


def _hypotheses(everything: Group, evidence: Mapping[str, float], acting: Group) -> Iterator[tuple[Hypothesis, float]]:
    names = sorted(everything)
    total = sum(HIDDEN.get(name, 1) for name in names) or 1
    weight = {name: HIDDEN.get(name, 1) / total * evidence.get(name, 1.0) for name in names}
    likely = sorted((name for name in names if name in evidence), key=lambda name: -evidence[name])[:_MOST_SUSPECTS]
    for group in _sets(names, likely, acting):
        prior = _PRIORS["any"] * _prior_of_set(group, weight)
        shifts = _SHIFTS if group & _SHIFTING else 0.0
        yield Hypothesis(Kind.ANY, group), prior * (1 - shifts)
        if shifts:
            yield Hypothesis(Kind.ANY, group, steady=False), prior * shifts
    if len(names) > _MOST_SUSPECTS:
        yield Hypothesis(Kind.ANY, everything), _PRIORS["any"] * 1e-3
    for pair in combinations(names, 2):
        yield Hypothesis(Kind.ALL, frozenset(pair)), _PRIORS["all"] * _prior_of_set(pair, weight)
    for name in names:
        prior = _PRIORS["sometimes" if name in _SHIFTING else "rarely"] * weight[name] / len(_RATES)
        yield from ((Hypothesis(Kind.SOMETIMES, frozenset({name}), rate), prior) for rate in _RATES)
    yield from _inherent(evidence)
    suspected = [name for name in likely if evidence[name] >= _TELLING][:_MOST_BESIDE]
    for name in names:
        if name not in suspected:
            part = _PRIORS["random"] * _PRIORS["beside"] * _prior_of_set((name,), weight) / len(_BESIDE)
            yield from ((replace(one, names=frozenset({name})), part) for one in _BESIDE)
    for size in range(1, _MOST_BESIDE + 1):
        for beside in combinations(suspected, size):
            part = _PRIORS["beside"] * _prior_of_set(beside, weight)
            yield from ((replace(one, names=frozenset(beside)), prior * part) for one, prior in _inherent(evidence))


def _prior_of_set(group: Collection[str], weight: Mapping[str, float]) -> float:
    size = len(group)
    by_size = _BY_SIZE[min(size, 3)] * _BY_SIZE[3] ** max(0, size - 3)
    # In a fixed order: rounded otherwise, equally good builds would be chosen by the hash seed.
    return by_size * factorial(size) * prod(weight[name] for name in sorted(group))


def _inherent(evidence: Mapping[str, float]) -> Iterator[tuple[Hypothesis, float]]:
    drawn = _PRIORS["random"] * evidence.get(Cause.RACE, 1.0)
    for count, part in _UNIFORM.items():
        # A value that looks like a random identifier is one of very many.
        many = evidence.get(Cause.RANDOM, 1.0) if count >= _MANY else 1.0
        yield Hypothesis(Kind.RANDOM, rate=1 - 1 / count, others=count - 1), drawn * part * many
    for others, part in _OTHERS.items():
        for rate in _SHARES:
            yield Hypothesis(Kind.RANDOM, rate=rate, others=others), drawn * part / len(_SHARES)
    clock = _PRIORS["clock"] * evidence.get(Cause.TIME, 1.0)
    yield from ((Hypothesis(Kind.CLOCK, lead=lead), clock * part) for lead, part in _LEADS.items())
    # What has few values shows no time that its evidence could speak for.
    coarse = _PRIORS["clock"]
    for count, part in _UNIFORM.items():
        if count < _MANY:
            few = Hypothesis(Kind.CLOCK, rate=1 - 1 / count, others=count - 1)
            yield few, coarse * part / 2
            yield replace(few, names=frozenset({Cause.TIME})), coarse * part / 2
    if min(evidence.get(Cause.TIME, 1.0), evidence.get(Cause.RANDOM, 1.0)) >= _TELLING:
        # An identifier made of both never repeats that of the control.
        yield Hypothesis(Kind.CLOCK, lead=NO_LEAD), clock * evidence[Cause.RANDOM]


def _sets(names: Sequence[str], likely: Sequence[str], acting: Group) -> Collection[Group]:
    """Return the sets of variations to consider: all small ones, and larger ones of likely causes."""
    sets = {frozenset(group): None for size in (1, 2, 3) for group in combinations(names, size)}
    for size in range(len(likely) + 1):
        for group in combinations(likely, size):
            base = frozenset({*group, *acting})
            sets.update(dict.fromkeys((base, *(base | {name} for name in names))))
    if acting:
        # What several causes change on their own may have more than one that is not known yet.
        base = frozenset({*likely, *acting})
        sets.update(dict.fromkeys(base | {*pair} for pair in combinations(names, 2)))
    sets.pop(frozenset(), None)
    return sets


def may_agree_by_luck(pattern: Sequence[bool]) -> bool:
    """Return whether a random value of few values may well show in just these builds, as one that follows would."""
    shown = sum(pattern)
    equal = len(pattern) - shown
    even = sum(part * (1 - 1 / count) ** shown * (1 / count) ** equal for count, part in _UNIFORM.items())
    skewed = sum((1 - share) ** equal * share**shown for share in _SHARES) / len(_SHARES)
    by_chance = _PRIORS["random"] * (even + skewed)
    return by_chance > (1 - SURE) * (by_chance + _PRIORS["any"])


def race_probability(luck: Sequence[tuple[float, float]], pairs: Sequence[bool], odds: float = 1.0) -> float:
    """Return the probability that an inherent difference in parallel output is a race and not a random value.

    `pairs` holds, for each pair of builds on one CPU, whether they were equal.  `odds` are those before them: threads
    are no evidence of a race, since most programs with threads write in an order of their own.
    """
    equal, count = sum(pairs), len(pairs)
    race = odds * 0.8**equal * 0.2 ** (count - equal)
    chance = sum(weight * rate**equal * (1 - rate) ** (count - equal) for weight, rate in luck)
    return race / (race + chance)
