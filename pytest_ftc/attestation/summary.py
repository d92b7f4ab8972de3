"""Verification Summary Attestations: that an artifact was judged by a policy, and with what result.

See https://slsa.dev/spec/v1.2/verification_summary and https://slsa.dev/spec/v1.2/verified-properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_ftc.attestation.judge import Judgement, Signed
from pytest_ftc.attestation.provenance import timestamp
from pytest_ftc.attestation.statement import Statement, Subject

SUMMARY_TYPE = "https://slsa.dev/verification_summary/v1"
UNEVALUATED = "SLSA_BUILD_LEVEL_UNEVALUATED"
REPRODUCED = "SLSA_BUILD_REPRODUCED"
_SLSA_VERSION = "1.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Who verifies, by which policy."""

    id: str
    """A URI."""
    version: str
    """Of pytest-ftc."""
    policy: str
    """The name of the policy's file."""
    policy_sha256: str


def make_summary(
    subject: Subject, judgement: Judgement, verifier: Verifier, resource: str, verified: datetime
) -> Statement:
    """Return the summary that `judgement` is the result for `subject`, which is fetched from the URI `resource`.

    No level of the Build track is claimed: that is a property of builders, which is not evaluated here.
    """
    predicate = {
        "verifier": {"id": verifier.id, "version": {"pytest-ftc": verifier.version}},
        "timeVerified": timestamp(verified.timestamp()),
        "resourceUri": resource,
        "policy": {"uri": quote(verifier.policy), "digest": {"sha256": verifier.policy_sha256}},
        "inputAttestations": _list_inputs(judgement.attestations),
        "verificationResult": "PASSED" if judgement.accepted else "FAILED",
        "verifiedLevels": _list_levels(judgement),
        "slsaVersion": _SLSA_VERSION,
    }
    return Statement((subject,), SUMMARY_TYPE, predicate)


def package_url(subject: Subject) -> str:
    """Return a package URL of `subject` (https://github.com/package-url/purl-spec), for want of a better address."""
    name = quote(Path(subject.name).name or "artifact", safe="")
    return f"pkg:generic/{name}?checksum=sha256:{subject.digest['sha256']}"


def _list_levels(judgement: Judgement) -> list[str]:
    if not judgement.accepted:
        return ["FAILED"]
    return [UNEVALUATED, *([REPRODUCED] if judgement.is_reproduced else [])]


def _list_inputs(signed: Sequence[Signed]) -> list[dict[str, Any]]:
    files = sorted({(quote(Path(one.source).name), one.sha256) for one in signed})
    return [{"uri": uri, "digest": {"sha256": sha256}} for uri, sha256 in files]
