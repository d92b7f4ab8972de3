"""Digests of what is not known: they follow from other places if builds show them to differ just when these do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftc.comparison.likeness import mask
from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.conclude import conclude, is_within
from pytest_ftc.diagnosis.group_testing import Group, comes_by_itself, suspects_left, without
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.posterior import may_agree_by_luck
from pytest_ftc.model import Field

_TOKEN = re.compile(r"[0-9A-Za-z+/_-]+={0,2}")
_SHORTEST = 6
"""Least length of a digest, or of the beginning of one."""
_LONGEST_VALUE = 16 << 10
_Pattern = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """What a digest follows from, as far as builds show."""

    sources: Sequence[Key]
    """The places with which it differs, those with a known cause first."""
    asks: Group
    """What to vary to show that it has no cause of its own, nor agrees by luck: all that is no cause of these.

    Empty if that is shown.
    """


@dataclass(slots=True)
class _Sources:
    """The places that a digest may follow from, by what is around them and the builds in which they differ."""

    cases: Mapping[Key, Case]
    everything: Group
    by_pattern: dict[tuple[str, ...], dict[_Pattern, list[Key]]] = field(default_factory=dict)
    causes: dict[Key, Group] = field(default_factory=dict)
    """The confirmed causes of those that were asked for."""

    def add(self, key: Key) -> None:
        for around in (key[:2], key[:1], ()):
            self.by_pattern.setdefault(around, {}).setdefault(_pattern(self.cases[key]), []).append(key)

    def find(self, key: Key) -> list[Key]:
        """Return the nearest places of which one differs in each build in which `key` does, and none in any other.

        Those of its own member come first, then those of its output, then all of the artifact.
        """
        own = _pattern(self.cases[key])
        for around in (key[:2], key[:1], ()):
            known = self.by_pattern.get(around, {})
            within = [one for one in known if is_within(one, own)]
            if within and tuple(map(any, zip(*within, strict=True))) == own:
                found = [key for one in within for key in known[one]]
                return sorted(found, key=lambda one: not self.cases[one].evident)
        return []

    def causes_of(self, key: Key) -> Group:
        if key not in self.causes:
            told = conclude(self.cases[key], self.everything)
            self.causes[key] = frozenset(name for name, sure in told if sure)
        return self.causes[key]


def find_computed(cases: Mapping[Key, Case], everything: Group) -> Mapping[Key, Computed]:
    """Return the digests, and other words of one length, that so far differ just when other places do.

    A digest that differs between builds in the same environment may be random, and is none of them.
    """
    digests = {key: case for key, case in cases.items() if _may_be_computed(case)}
    known = _Sources(cases, everything)
    for key, case in cases.items() if digests else ():
        if key not in digests and not case.sources and case.place.note != FOLLOWS:
            known.add(key)
    found = {
        key: sources for key in digests if (sources := known.find(key)) and _may_tell(digests[key], sources, known)
    }
    judged = {key: _judge(cases[key], sources, known) for key, sources in found.items()}
    return {key: one for key, one in judged.items() if not (one.asks and _is_refuted(one.asks, cases[key]))}


def _may_tell(case: Case, sources: Sequence[Key], known: _Sources) -> bool:
    """Return whether builds show more than that it differs with all varied, or the causes of the others are known."""
    partly = any(one.shows and one.varied != known.everything for one in case.observations)
    return partly or all(known.causes_of(key) for key in sources)


def _judge(case: Case, sources: Sequence[Key], known: _Sources) -> Computed:
    causes = frozenset(name for key in sources for name in known.causes_of(key))
    ruled_out = suspects_left(known.everything, case.observations) <= causes
    is_shown = ruled_out and not may_agree_by_luck(_pattern(case))
    return Computed(sources, frozenset() if is_shown else without(known.everything, causes))


def _is_refuted(group: Group, case: Case) -> bool:
    """Return whether it differed where `group` was varied: it then has another cause, which these do not know."""
    return any(one.varied == group and one.shows for one in case.observations)


def _pattern(case: Case) -> _Pattern:
    """Return whether it shows, for each build that is compared with the control."""
    return tuple(one.shows for one in case.observations if one.lead is None and not one.stopped)


def _may_be_computed(case: Case) -> bool:
    seen = case.observations
    repeated = any(not one.varied for one in seen)
    if case.sources or case.evident or not repeated or comes_by_itself(seen):
        return False
    return _is_digest(case)


def _is_digest(case: Case) -> bool:
    """Return whether its values differ only in words of one length that look like digests or random words."""
    place = case.place
    sizes = len(place.control), len(place.experiment)
    if place.field not in (Field.CONTENT, Field.NAME, Field.HEADER) or max(sizes) > _LONGEST_VALUE or not all(sizes):
        return False
    texts = [value.decode("utf-8", "surrogateescape") for value in (place.control, place.experiment)]
    one, other = (_TOKEN.split(text) for text in texts)
    return one == other and all(_are_digests(*words) for words in _changed(*texts))


def _changed(one: str, other: str) -> Iterator[tuple[str, str]]:
    words = zip(_TOKEN.findall(one), _TOKEN.findall(other), strict=True)
    return (pair for pair in words if pair[0] != pair[1])


def _are_digests(one: str, other: str) -> bool:
    return len(one) == len(other) >= _SHORTEST and not any(
        word.isdigit() or mask(word) == word for word in (one, other)
    )
