"""Whether a policy accepts the files of an artifact, by the attestations that a registry has about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pytest_ftc.attestation.bundle import parse_envelopes
from pytest_ftc.attestation.judge import Judgement, Signed
from pytest_ftc.attestation.policy import Policy
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.attestations import find_signed, judge_digest
from pytest_ftc.integrations.registry.manifest import Layer

_MOST_SIGNATURES = 5_000
"""Of all attestations of one artifact.  Anybody who may push can attach some, and each is tried with each key."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy says of an artifact."""

    judgements: Mapping[str, Judgement]
    """By the name of the file."""
    unreadable: tuple[str, ...]
    """The attestations that could not be read, and why; anybody who may push can attach such."""

    @property
    def accepted(self) -> bool:
        return bool(self.judgements) and all(one.accepted for one in self.judgements.values())


def judge_artifact(files: Mapping[str, Layer], documents: Sequence[tuple[str, bytes]], policy: Policy) -> Outcome:
    """Return whether `policy` accepts `files` by `documents`, each with its name.

    Raises DocumentError where a trusted key has signed what cannot be read, and for too many signatures, or
    NotInstalledError.
    """
    signed: list[Signed] = []
    unreadable: list[str] = []
    signatures = 0
    for source, data in documents:
        try:
            envelopes = parse_envelopes(data)
        except DocumentError as error:
            unreadable.append(f"{source}: {error}")
            continue
        signatures += sum(len(one.signatures) for one in envelopes)
        if signatures > _MOST_SIGNATURES:
            raise DocumentError(f"its attestations have more than {_MOST_SIGNATURES} signatures")
        signed += find_signed(envelopes, source, data, policy)
    return Outcome({name: _judge(name, layer, signed, policy) for name, layer in files.items()}, tuple(unreadable))


def _judge(name: str, layer: Layer, signed: Sequence[Signed], policy: Policy) -> Judgement:
    """Return whether the file `name` is accepted: its digest must be attested, and under this name.

    Else another artifact of the same signer could be pushed under the name of this one.  Only what is attested under
    this name counts for it, so that no single key of several adds a name; against it counts whatever is attested.
    """
    sha256 = layer.digest.removeprefix("sha256:")
    judgement = judge_digest(sha256, signed, policy)
    about = [(one, _names_of(one, sha256)) for one in signed if one.statement.is_about(sha256)]
    own = [one for one, names in about if name in names or not names]
    others = sorted({other for _, names in about if name not in names for other in names})
    if not others:
        return judgement
    under_it = judge_digest(sha256, own, policy)
    if judgement.accepted and under_it.accepted:
        return under_it
    is_named = any(name in names for _, names in about)
    problem = f"its bytes are attested as {', '.join(others)}"
    if not judgement.accepted:
        return judgement if is_named else replace(judgement, problems=(*judgement.problems, problem))
    return replace(under_it, problems=(problem, *(under_it.problems if is_named else ())))


def _names_of(signed: Signed, sha256: str) -> set[str]:
    """Return the names, without folders, that a statement gives the file with this digest."""
    subjects = (one for one in signed.statement.subjects if one.digest.get("sha256") == sha256)
    return {PurePosixPath(one.name).name for one in subjects if one.name}
