"""Keys, statements and policies, for the tests of attestations."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from samples import verification

from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.provenance import Builder, Invocation, make_provenance
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Statement
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model import Finding, Verdict
from pytest_ftc.model.build_inputs import BuildInputs
from pytest_ftc.model.verification import Evidence, Remedy

BUILDER = Builder(id="https://ci.example/", version="1.0")
FOUND = Finding(
    output="dist/app.whl",
    member="app/__init__.py",
    location="zip entry mtime",
    cause="time",
    confirmed=True,
    evidence=Evidence(control="2026-11-23", experiment="2027-12-26"),
    builds=7,
    command=("python", "-m", "build"),
    remedy=Remedy(summary="set SOURCE_DATE_EPOCH", settings={"SOURCE_DATE_EPOCH": "1"}, proved=True, tried=True),
)
INPUTS = BuildInputs(
    source=f"{'c' * 64}/140",
    commit="d" * 40,
    dirty=True,
    command=("/bin/sh", "-c", "make"),
    outputs=("dist/*.whl",),
    tools={"/usr/bin/make": "e" * 64},
    distributions={"wheel": "0.45"},
    requirements="f" * 64,
    platform=("Linux", "x86_64"),
)
NOW = datetime(2026, 11, 27, tzinfo=timezone.utc)
DIGEST = "a" * 64
"""sha256 of what the control of `verification` left."""


def good(**changes: object) -> Statement:
    """Return the attribute report of a reproducible artifact."""
    return make_parity(replace(verification(Verdict.REPRODUCIBLE), **changes), BUILDER)


def bad() -> Statement:
    """Return the attribute report of an unreproducible one."""
    return make_parity(replace(verification(Verdict.UNREPRODUCIBLE), findings=(FOUND,)), BUILDER)


def provenance(finished: float = 1_700_000_010) -> Statement:
    invocation = Invocation(id="urn:uuid:1", started=1_700_000_000, finished=finished)
    return make_provenance(replace(verification(Verdict.REPRODUCIBLE), inputs=INPUTS), BUILDER, invocation)


def signed_by(keys: KeyFolder, *names: str, statement: Statement) -> Envelope:
    """Return `statement`, signed by the keys `names`."""
    return sign(
        Envelope(PAYLOAD_TYPE, statement.encode()), [SignerReference(f"file2:{keys.private(name)}") for name in names]
    )


def write_policy(folder: Path, text: str = "", *, keys: str = "keys.toml") -> Path:
    path = folder / "policy.toml"
    path.write_text(f'keyring = "{keys}"\n[require]\n{text}')
    return path
