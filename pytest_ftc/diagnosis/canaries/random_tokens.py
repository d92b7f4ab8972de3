"""Random identifiers, and digests that follow from other differences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_ftc.comparison.members.span import common_start
from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.values import touches
from pytest_ftc.model import Cause, Place, Strength, Suspicion

TEMPORARY = "temporary name"
"""Stands among the names of tools where what is random is a name in a path, as of a temporary folder."""
LOOK_COMPUTED = (
    "both are identifiers, which change with what they are computed from",
    "both look like digests, which change with what they are computed from",
)
LOOK_DRAWN = "both look like random words of the same length"
"""Why a value is suspected to be random although it does not look like a digest."""


def _uuid(versions: bytes) -> re.Pattern[bytes]:
    form = rb"[0-9a-f]{8}-[0-9a-f]{4}-[%s][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    return re.compile(form % versions, re.IGNORECASE)


# RFC 9562, section 5.
_RANDOM_UUID, _TIMED_UUID, _OTHER_UUID = _uuid(b"4"), _uuid(b"167"), _uuid(b"2358")
_DIGEST = re.compile(
    rb"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})(?![0-9a-f])", re.IGNORECASE
)
_WORD = re.compile(rb"[0-9A-Za-z+/_-]{8,}={0,2}")
_NUMBER = re.compile(rb"[0-9.]+")
_TEMPORARY = re.compile(rb"tmp[.\w-]{6,}|\w+\.[0-9A-Za-z]{6,10}(?![0-9A-Za-z])")


_PATH = re.compile(rb"(?<![\w.:/+])(?:\.{0,2}/|(?=\.\w)|(?=tmp[\w.-]*/))[\w.-]+(?:/[\w.-]+)*")
"""A path: an absolute one, or a relative one that begins like that of a temporary folder."""


def is_name_in_path(place: Place, suspicion: Suspicion | None) -> bool:
    """Return whether what is random in `place` is a name in a path, as of a temporary folder.

    `suspicion` tells the random values; without one, what differs first is meant.
    """
    one, other = place.control, place.experiment
    at = common_start(one, other)
    if suspicion and suspicion.control:
        value, theirs = (text.encode("utf-8", "surrogateescape") for text in (suspicion.control, suspicion.experiment))
        at = one.find(value) + common_start(value, theirs) if value in one else at
    path = next((found for found in _PATH.finditer(one) if found.start() < at < found.end()), None)
    if path is None:
        return False
    start = max(path.start(), one.rfind(b"/", path.start(), at) + 1)
    # A digest is a name too, of what has it for its content.
    return not _DIGEST.search(one[start : path.end()].partition(b"/")[0])


def find_tokens(place: AlignedPlace) -> Iterator[Sighting]:
    """Yield different identifiers, names of temporary files, digests and other random words in `place`."""
    for pattern, strength, why in (
        (_RANDOM_UUID, Strength.STRONG, "both are random identifiers"),
        (_TIMED_UUID, Strength.WEAK, "both are identifiers made of a time and of random bits"),
        (_OTHER_UUID, Strength.GUESS, LOOK_COMPUTED[0]),
        (_TEMPORARY, Strength.WEAK, "both look like names of temporary files"),
        (_DIGEST, Strength.GUESS, LOOK_COMPUTED[1]),
        (_WORD, Strength.GUESS, LOOK_DRAWN),
    ):
        matches, others = list(pattern.finditer(place.control)), list(pattern.finditer(place.experiment))
        for number, change in enumerate(place.changes):
            own = [match[0] for match in matches if touches(match.span(), change.start, change.end)]
            theirs = [match[0] for match in others if touches(match.span(), change.theirs, change.their_end)]
            for one, other in zip(own, theirs, strict=False):
                if pattern is _TEMPORARY and _NUMBER.fullmatch(one):
                    continue
                if one != other and len(one) == len(other) and (pattern is not _WORD or _is_meaningless(one, other)):
                    yield Sighting(
                        Suspicion(Cause.RANDOM, strength, shown(one), shown(other), why), frozenset({number})
                    )


def _is_meaningless(one: bytes, other: bytes) -> bool:
    """Return whether most characters differ, with letters and digits, or both cases, mixed."""
    differing = sum(a != b for a, b in zip(one, other, strict=True))
    kinds = sum(bool(re.search(kind, one)) for kind in (rb"[0-9]", rb"[a-z]", rb"[A-Z]"))
    return differing * 2 > len(one) and kinds >= 2
