"""Likely causes of a difference from its values alone, when it is unknown how the two sides were built."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from pytest_ftc.comparison.members.walk import walk
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
    anywhen = Window(0, time.time() + 86400)
    unknown = Planted(build_path="", home="", temp_dir="", umask=0, clock=anywhen, real=anywhen)
    suspicions = [one for one in suspect(leaf, unknown, unknown) if not _is_a_word(one)]
    if not suspicions and leaf.control != leaf.experiment:
        without = {_PATH.sub(b"/", value) for value in (leaf.control, leaf.experiment)}
        return Cause.BUILD_PATH if len(without) == 1 else Cause.UNKNOWN
    return suspicions[0].cause if suspicions else Cause.UNKNOWN


_PATH = re.compile(rb"(?:/[\w.+-]+){2,}")


_NUMBER = re.compile(r"((?:[0-9a-f]{2}){4,8}) \([0-9]+\)")
"""The form in which a suspicion shows bytes that may be a time."""


def _is_a_word(suspicion: Suspicion) -> bool:
    """Return whether bytes that may be a time are text on both sides: four letters often look like a recent time."""
    numbers = [_NUMBER.fullmatch(text) for text in (suspicion.control, suspicion.experiment)]
    return all(found and _is_text(bytes.fromhex(found[1])) for found in numbers)


def _is_text(data: bytes) -> bool:
    return all(0x20 <= byte < 0x7F or byte in b"\0\t\n\r" for byte in data)
