"""Digests of contents that differ, by which a name, a checksum or a size is recognised as that of a content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field, Place

_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
_CHUNK = 1 << 20
MOST_HASHED = 128 << 20
"""Bytes of all contents of a walk, both sides together, whose digests are computed."""

PlaceIn = tuple[str, str, Field]
"""A member, a location in it, and what kind of thing differs there."""


@dataclass(slots=True)
class Twin:
    """A content that differs between two builds: a file, a member, or what is compressed in either."""

    sizes: tuple[int, int]
    """Of the control's and the experiment's, in bytes."""
    digests: tuple[tuple[bytes, bytes], ...]
    """Of the control's and the experiment's, by several algorithms."""
    places: set[PlaceIn] = field(default_factory=set)
    """Where in it the difference is."""


def hash_both(one: Span, other: Span, budget: Budget) -> Twin | None:
    """Return the digests of two contents; None beyond `MOST_HASHED` bytes in a walk.  Raises OutOfTimeError."""
    budget.hashed += one.size + other.size
    if budget.hashed > MOST_HASHED:
        return None
    digests = zip(_digests(one, budget), _digests(other, budget), strict=True)
    return Twin((one.size, other.size), tuple(digests))


def _digests(span: Span, budget: Budget) -> Iterator[bytes]:
    hashes = [hashlib.new(name, usedforsecurity=False) for name in _ALGORITHMS]
    for position in range(0, span.size, _CHUNK):
        budget.check_time()
        chunk = span.read(position, _CHUNK)
        for one in hashes:
            one.update(chunk)
    return (one.digest() for one in hashes)


def watch(leaves: Iterator[Place], twin: Twin | None) -> Iterator[Place]:
    """Yield `leaves`, and note in `twin` where they are."""
    for leaf in leaves:
        if twin:
            twin.places.add((leaf.member, leaf.location, leaf.field))
        yield leaf
