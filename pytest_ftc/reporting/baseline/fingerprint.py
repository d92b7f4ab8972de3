"""Fingerprints, which identify a finding across sessions."""

from __future__ import annotations

import hashlib
import json
import re

from pytest_ftc.model import Finding
from pytest_ftc.model.place import OUTPUT_NAME

_PLANTED = r"(ftc-(?:build|home|tmp|variable|extra|path)|host|domain|user|group)-[bcdfghjklmnpqrstvwxz]{6}"
_UUID = r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])"
_DIGEST = r"(?<![0-9a-z])g?(?=[a-f]*[0-9])[0-9a-f]{7,}(?![0-9a-z])"
_VERSION = r"[0-9]+(?:[._+~:-]?(?:[0-9]+|(?:alpha|beta|pre|preview|post|rev|dev|snapshot|rc|a|b|c)(?![a-z])))*"
_STEADY = (
    (re.compile(_PLANTED), r"\1-0"),  # values planted by the environments, see verification/plan.py
    *((re.compile(pattern, re.IGNORECASE), "0") for pattern in (r"0x[0-9a-f]+", _UUID, _DIGEST, _VERSION)),
)

_PART = re.compile(r", column [0-9]+ \(part [0-9]+\)")


def steady(text: str) -> str:
    """Return `text` without what unrelated changes affect: numbers, versions, digests and planted values.

    Any part of a line is one kind of place with the line, which may be told as a whole where it is shorter.
    """
    text = _PART.sub("", text)
    for pattern, instead in _STEADY:
        text = pattern.sub(instead, text)
    return text


def fingerprint(artifact: str, finding: Finding) -> str:
    """Return an identifier of `finding` in the artifact with this id; it survives unrelated changes.

    Numbers are ignored, because lines move and versions rise.  So are the values, which differ in each session.
    """
    parts = [artifact, steady(output_name(finding)), *map(steady, (finding.member, finding.location))]
    text = json.dumps([*parts, finding.cause])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def output_name(finding: Finding) -> str:
    """Return the name of the output; if the name itself differs, the common part of both."""
    one, other = finding.output, finding.evidence.experiment
    if finding.location != OUTPUT_NAME or not other:
        return one
    start = _common(one, other)
    end = _common(one[len(start) :][::-1], other[len(start) :][::-1])[::-1]
    # Cut at a separator: two random names may begin with the same letter by chance.
    start, end = re.sub(r"[^\W_]+$", "", start), re.sub(r"^[^\W_]+", "", end)
    return f"{start}*{end}"


def _common(one: str, other: str) -> str:
    """Return the common prefix."""
    length = min(len(one), len(other))
    return one[: next((index for index in range(length) if one[index] != other[index]), length)]
