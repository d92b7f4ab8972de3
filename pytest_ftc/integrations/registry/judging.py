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

    Raises DocumentError where a trusted key has signed what cannot be read, NotInstalledError.
    """
    signed: list[Signed] = []
    unreadable: list[str] = []
    for source, data in documents:
        try:
            envelopes = parse_envelopes(data)
        except DocumentError as error:
            unreadable.append(f"{source}: {error}")
            continue
        signed += find_signed(envelopes, source, data, policy)
    return Outcome({name: _judge(name, layer, signed, policy) for name, layer in files.items()}, tuple(unreadable))


def _judge(name: str, layer: Layer, signed: Sequence[Signed], policy: Policy) -> Judgement:
    """Return whether the file `name` is accepted: its digest must be attested, and under this name.

    Else another artifact of the same signer could be pushed under the name of this one.
    """
    sha256 = layer.digest.removeprefix("sha256:")
    judgement = judge_digest(sha256, signed, policy)
    subjects = [one for each in signed for one in each.statement.subjects if one.digest.get("sha256") == sha256]
    names = {PurePosixPath(one.name).name for one in subjects if one.name}
    if not names or name in names:
        return judgement
    problem = f"its bytes are attested as {', '.join(sorted(names))}"
    return replace(judgement, problems=(*judgement.problems, problem))
