"""Pairing what two builds name by a digest or a random word: by the rest of the name, then by likeness of content."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Generic, TypeVar

T = TypeVar("T")
One = TypeVar("One", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)
_HEX = re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{8,}|(?=[A-F]*[0-9])[0-9A-F]{8,}")
_WORD = re.compile(r"[0-9A-Za-z*]+")
_SHARD = re.compile(r"(?<![^/])[0-9A-Za-z]{1,3}(?=/[^/]*\*)")
"""A folder named by the first characters of a digest, as in ``objects/3f/2a9c``."""
_START = re.compile(r"[0-9a-f]{1,4}")
_LONG = 6
"""Least length of a random word that has more than digits."""
_MOST_COMPARED = 2500
"""Most pairs of one family whose contents are compared."""
_WORDS = re.compile(rb"[A-Za-z]{3,}")
_MOST_WORDS = 4000
_HEAD = 16


def mask(name: str) -> str:
    """Return `name` with an asterisk for each word that may be a number, a digest or random."""
    masked = _WORD.sub(_mask_word, mask_digests(name))
    return _SHARD.sub("*", masked) if "*" in masked else masked


def mask_digests(text: str) -> str:
    """Return `text` with an asterisk for each hexadecimal number of at least eight digits."""
    return _HEX.sub("*", text)


def mask_long_words(name: str) -> str:
    """Return `name` with an asterisk for each long word that may be a number, a digest or random."""
    return _WORD.sub(lambda word: _mask_word(word) if len(word[0]) >= _LONG else word[0], mask_digests(name))


def _mask_word(word: re.Match[str]) -> str:
    text = word[0]
    if "*" in text:
        return text
    if text.isdigit():
        return "*"
    digits = any(character.isdigit() for character in text)
    mixed = not (text.islower() or text.isupper() or text[1:].islower())
    return "*" if len(text) >= _LONG and (digits or mixed) else text


def begins_digest(name: str) -> bool:
    """Return whether the last part of a path may be the beginning of a digest, as for folders of a content store."""
    return _START.fullmatch(name.rpartition("/")[2]) is not None


def changed_words(one: str, other: str) -> tuple[tuple[str, str], ...]:
    """Return the words in which two names of the same mask differ; both names as a whole if they are unlike."""
    words = [re.split(r"([^0-9A-Za-z]+)", name) for name in (one, other)]
    if len(words[0]) != len(words[1]):
        return ((one, other),)
    return tuple(dict.fromkeys((own, theirs) for own, theirs in zip(*words, strict=True) if own != theirs))


@dataclass(frozen=True, slots=True)
class Sketch:
    """What tells contents apart that have the same kind of name."""

    size: int
    head: bytes
    words: frozenset[bytes]
    text: bool


def draw(size: int, data: bytes) -> Sketch:
    """Return the sketch of a content of `size` bytes that begins with `data`."""
    words = frozenset(_WORDS.findall(data)[:_MOST_WORDS])
    return Sketch(size, data[:_HEAD], words, b"\0" not in data and data.decode("utf-8", "ignore").encode() == data)


def likeness(one: Sketch, other: Sketch) -> float:
    """Return how alike two contents are, from 0 to 6."""
    either = len(one.words | other.words)
    words = len(one.words & other.words) / either if either else 1.0
    head = sum(own == theirs for own, theirs in zip_longest(one.head, other.head)) / _HEAD
    smaller, larger = sorted((one.size, other.size))
    return float(4 * words + head + (smaller / larger if larger else 1.0))


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """Something with a name that the other build does not have."""

    name: str
    thing: T
    kind: object = None
    """Only things of the same kind are paired."""


def pair_alike(
    control: Sequence[Named[T]], experiment: Sequence[Named[T]], sketch: Callable[[T], Sketch | None]
) -> list[tuple[Named[T], Named[T]]]:
    """Pair things whose names have the same mask, the most alike first; what has no sketch is paired in order."""
    families, theirs = _families(control), _families(experiment)
    pairs = []
    for family, members in families.items():
        others = theirs.get(family, [])
        if members and others:
            pairs += _pair_family(members, others, sketch)
    return pairs


def _families(things: Sequence[Named[T]]) -> Mapping[tuple[str, object], list[Named[T]]]:
    families: dict[tuple[str, object], list[Named[T]]] = defaultdict(list)
    for thing in things:
        masked = mask(thing.name)
        if masked != thing.name:
            families[masked, thing.kind].append(thing)
    return families


def _pair_family(
    control: Sequence[Named[T]], experiment: Sequence[Named[T]], sketch: Callable[[T], Sketch | None]
) -> list[tuple[Named[T], Named[T]]]:
    if len(control) * len(experiment) > _MOST_COMPARED:
        return list(zip(control, experiment, strict=False)) if len(control) == len(experiment) else []
    ours, theirs = ([sketch(one.thing) for one in side] for side in (control, experiment))
    ranked = sorted(
        ((_rank(one, other), abs(left - right), left, right))
        for left, one in enumerate(ours)
        for right, other in enumerate(theirs)
        if (one is None) == (other is None) and (one is None or other is None or one.text == other.text)
    )
    paired = take_best((left, right) for _, _, left, right in ranked)
    return [(control[left], experiment[right]) for left, right in sorted(paired.items())]


def take_best(ranked: Iterable[tuple[One, Other]]) -> dict[One, Other]:
    """Return pairs of which none shares a side with another, from those that are `ranked` the best first."""
    paired: dict[One, Other] = {}
    taken: set[Other] = set()
    for one, other in ranked:
        if one not in paired and other not in taken:
            paired[one] = other
            taken.add(other)
    return paired


def _rank(one: Sketch | None, other: Sketch | None) -> float:
    return -likeness(one, other) if one and other else 0.0
