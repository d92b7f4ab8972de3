"""Likely causes of a difference from its values alone, when it is unknown how the two sides were built."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pytest_ftc.comparison.members.walk import walk
from pytest_ftc.diagnosis.canaries.alignment import align
from pytest_ftc.diagnosis.canaries.planted import Planted, Window
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.diagnosis.places import leaf_of_manifest, places_of, show_values
from pytest_ftc.diagnosis.remedies import find_remedies
from pytest_ftc.model import Cause, Difference, DifferenceKind, Field, Finding, Place, Remedy, Suspicion

_BY_FIELD = {
    Field.MTIME: Cause.TIME,
    Field.MODE: Cause.UMASK,
    Field.OWNER: Cause.USER_GROUP,
    Field.ORDER: Cause.FILEORDERING,
}
"""The most common causes of differences in these fields."""


def look_into(difference: Difference, name: str, files: tuple[Path, Path] | None) -> tuple[list[Place], Sequence[str]]:
    """Return the places in which the two `files` of a `difference` differ, and notes on what was not examined.

    Without files, only their entries in the manifests are compared.  Raises OSError.
    """
    if difference.kind is not DifferenceKind.CONTENT or files is None:
        return [leaf_of_manifest(difference)], ()
    walked = walk(*files, name)
    return list(places_of(name, walked.leaves).values()), [f"{name}: {text}" for text in walked.cut]


def guess(output: str, leaf: Place) -> Finding:
    """Return the finding for a place of `output`; its cause is only suspected."""
    cause = _BY_FIELD.get(leaf.field) or _suspect(leaf)
    cure = next(find_remedies(cause, leaf.field, [leaf.format]), None)
    return Finding(
        output=output,
        member=leaf.member,
        location=leaf.location,
        cause=str(cause),
        confirmed=False,
        evidence=show_values(leaf),
        remedy=Remedy(summary=_fill(cure.summary, output), source=cure.source) if cure else None,
    )


def _fill(text: str, output: str) -> str:
    return text.replace("{output}", output).replace("{epoch}", "$SOURCE_DATE_EPOCH")


def _suspect(leaf: Place) -> str:
    anywhen = Window(_EARLIEST, time.time() + 86400)
    unknown = Planted(build_path="", home="", temp_dir="", umask=0, clock=anywhen, real=anywhen)
    suspicions = suspect(leaf, unknown, unknown, believes=partial(_is_plausible, leaf))
    if not suspicions and leaf.control != leaf.experiment:
        without = {_PATH.sub(b"/", value) for value in (leaf.control, leaf.experiment)}
        return Cause.BUILD_PATH if len(without) == 1 else Cause.UNKNOWN
    return suspicions[0].cause if suspicions else Cause.UNKNOWN


_PATH = re.compile(rb"(?:/[\w.+-]+){2,}")


_NUMBER = re.compile(r"((?:[0-9a-f]{2}){4,8}) \(([0-9]+)\)")
"""The form in which a suspicion shows bytes that may be a time."""
_USUAL = ("seconds since 1970", "milliseconds since 1970", "microseconds since 1970", "nanoseconds since 1970",
          "FILETIME", "MS-DOS")  # fmt: skip
"""Encodings of times that programs write often; the others fit too many numbers."""
_DATED = re.compile(r"(?:19|20)[0-9]{2}|:|[^\W\d_]|[0-9]{9}")
"""What a date or a clock has, unless it is only a few numbers, as those of a version."""
_NO_DATE = re.compile(r"(?![0-9]{8}T)(?=[0-9]*[A-Za-z])[0-9A-Za-z]+|[0-9]{5,7}")
"""A word, or a number in another base than ten; a number that is shorter than a date with its year."""
_EARLIEST = 631_152_000
"""1990, in seconds since 1970: an earlier date is rarely that of a build."""
_EARLIEST_NUMBER = 1_104_537_600
"""2005.  Any floating-point number near zero is a time of 2001 to Apple's systems."""
_TIMELESS = re.compile(r"ELF (?:section \.(?:text|plt|init|fini)\b|.*build id)")
"""Code, of which addresses have moved, and digests."""
_FEW = 8
"""Changes."""
_LONGEST = 366 * 86400
"""Most seconds between two builds: otherwise many pairs of random numbers would be two times."""


def _is_plausible(leaf: Place, suspicion: Suspicion) -> bool:
    """Return whether a suspicion is credible although nothing is known about the builds.

    Times are in doubt: nearly any bytes are one, read from some position in some encoding.
    """
    if suspicion.cause != Cause.TIME:
        return True
    one, other = (_NUMBER.fullmatch(text) for text in (suspicion.control, suspicion.experiment))
    if _TIMELESS.match(leaf.location):
        return False
    if not one or not other:
        texts = suspicion.control, suspicion.experiment
        return all(_DATED.search(text) for text in texts) and not any(_NO_DATE.fullmatch(text) for text in texts)
    data = bytes.fromhex(one[1]), bytes.fromhex(other[1])
    # Four letters often look like a recent time.
    if all(map(_is_text, data)) or not any(f"({name}" in suspicion.why for name in _USUAL):
        return False
    seconds = sorted((int(one[2]), int(other[2])))
    if seconds[0] < _EARLIEST_NUMBER or not 0 < seconds[1] - seconds[0] <= _LONGEST:
        return False
    # The seconds of two builds hardly ever agree in their lowest byte; other numbers that contain a change often do.
    lowest = -1 if "big-endian" in suspicion.why else 0
    unlike = "floating-point" in suspicion.why or data[0][lowest] != data[1][lowest]
    return unlike and _is_alone(leaf, *data) and _changes_little(leaf)


def _changes_little(leaf: Place) -> bool:
    """Return whether so little differs that a time among it is no chance."""
    return sum(len(place.changes) for place in align(leaf.control, leaf.experiment).places) <= _FEW


def _is_alone(leaf: Place, one: bytes, other: bytes) -> bool:
    """Return whether the bytes around both numbers agree: a change that goes beyond a number is not that of a time."""
    around = [
        (value[max(0, at - 1) : at], value[at + len(number) : at + len(number) + 1])
        for value, number in ((leaf.control, one), (leaf.experiment, other))
        for at in (value.find(number),)
    ]
    return around[0] == around[1]


def _is_text(data: bytes) -> bool:
    return all(0x20 <= byte < 0x7F or byte in b"\0\t\n\r" for byte in data)
