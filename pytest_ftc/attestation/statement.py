"""in-toto Statements, version 1: claims about files, which are named by their digests.

See https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object
from pytest_ftc.model import OutputType, Role, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.valid_text import valid_text

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The media type of a statement in an envelope."""
_WHAT = "statement"


@dataclass(frozen=True, slots=True)
class Subject:
    """A file that a statement is about."""

    name: str
    digest: Mapping[str, str]
    """Hexadecimal digests by algorithm."""

    @property
    def is_of_experiment(self) -> bool:
        """Whether an experiment may have left it instead of what the control left; a file may have such a name too."""
        return "#" in self.name


@dataclass(frozen=True, slots=True)
class Statement:
    """What is claimed of which files."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    @property
    def files(self) -> tuple[Subject, ...]:
        """The subjects without what experiments left instead of another one, as ``NAME#BUILD``."""
        names = {one.name for one in self.subjects}
        return tuple(
            one for one in self.subjects if not (one.is_of_experiment and one.name.rpartition("#")[0] in names)
        )

    def encode(self) -> bytes:
        """Return the statement as JSON, with sorted names and no spaces: equal statements are equal bytes."""
        document = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": one.name, "digest": dict(one.digest)} for one in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    def is_about(self, sha256: str) -> bool:
        """Return whether one of its subjects has this digest."""
        return any(subject.digest.get("sha256") == sha256 for subject in self.subjects)


def parse_statement(data: bytes) -> Statement:
    """Return the statement in `data`.

    Unknown fields are ignored, as the specification asks.  A subject without a digest, a digest that is no
    hexadecimal text, and two subjects of one name are refused.  Raises DocumentError.
    """
    document = parse_object(data, _WHAT)
    if document.get("_type") != STATEMENT_TYPE:
        raise DocumentError(f"{_WHAT}: _type: expected {STATEMENT_TYPE}, found {document.get('_type')!r}")
    subjects = tuple(_parse_subject(one) for one in field(document, "subject", list, _WHAT))
    if not subjects:
        raise DocumentError(f"{_WHAT}: subject: expected at least one")
    names = [subject.name for subject in subjects if subject.name]
    if len(set(names)) != len(names):
        raise DocumentError(f"{_WHAT}: subject: two have the same name")
    return Statement(subjects, field(document, "predicateType", str, _WHAT), field(document, "predicate", dict, _WHAT))


def subjects_of(verification: Verification) -> tuple[Subject, ...]:
    """Return the files among the outputs of the control build of `verification`, sorted by name.

    Raises FtcError when there are none: a statement needs a digest that it is about.
    """
    control = next((build for build in verification.builds if build.role is Role.CONTROL), None)
    files = [output for output in control.outputs if output.type is OutputType.FILE] if control else []
    if not files:
        raise FtcError(f"{verification.name}: nothing to attest: no build left a file")
    return tuple(Subject(valid_text(one.path), {"sha256": one.sha256}) for one in sorted(files, key=lambda o: o.path))


def compared_subjects_of(verification: Verification) -> tuple[Subject, ...]:
    """Return the same, and the files that the experiments left instead, as ``NAME#BUILD``.

    Raises FtcError when there are none.
    """
    subjects = subjects_of(verification)
    known = {one.digest["sha256"] for one in subjects}
    others: dict[str, Subject] = {}
    for build in verification.builds:
        for output in build.outputs if build.role is Role.EXPERIMENT else ():
            if output.type is OutputType.FILE and output.sha256 not in known:
                name = f"{valid_text(output.path)}#{build.id}"
                others.setdefault(output.sha256, Subject(name, {"sha256": output.sha256}))
    return (*subjects, *others.values())


def _parse_subject(value: object) -> Subject:
    if not isinstance(value, dict):
        raise DocumentError(f"{_WHAT}: subject: expected objects")
    digest = field(value, "digest", dict, f"{_WHAT}: subject")
    if not digest or not all(isinstance(one, str) and re.fullmatch("[0-9a-f]+", one) for one in digest.values()):
        raise DocumentError(f"{_WHAT}: subject: digest: expected lower-case hexadecimal texts")
    name = value.get("name", "")
    if not isinstance(name, str):
        raise DocumentError(f"{_WHAT}: subject: name: expected text")
    return Subject(name, digest)
