"""Attestations as rebuilderd, OSS Rebuild and GitHub publish them, made from their public formats, with keys of tests."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from in_toto.models.link import Link
from in_toto.models.metadata import Metablock
from securesystemslib.signer import CryptoSigner

from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.statement import PAYLOAD_TYPE

HOST = "https://docs.oss-rebuild.dev/hosts/Google"
RUNNER = "https://github.com/actions/runner/github-hosted"


class Rebuilder:
    """Whoever signs, with a key of the kind that it uses."""

    def __init__(self, folder: Path, name: str, *, curve: bool = False) -> None:
        """With `curve` the key is of ECDSA, as KMS and Fulcio sign, else of ed25519."""
        self._private: Any = ec.generate_private_key(ec.SECP256R1()) if curve else ed25519.Ed25519PrivateKey.generate()
        self._signer = CryptoSigner(self._private)
        self.file = folder / f"{name}.pub"
        self.file.write_bytes(self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def write_key_as_rebuilderd(self) -> None:
        """Replace the file of the public key by one with NULL for parameters, as rebuilderd publishes it."""
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        text = base64.b64encode(bytes.fromhex("302c300706032b65700500032100") + raw).decode()
        self.file.write_text(f"-----BEGIN PUBLIC KEY-----\r\n{text}\r\n-----END PUBLIC KEY-----\r\n", newline="")

    def link(self, name: str, sha256: str, *, step: str = "rebuild") -> bytes:
        """Return a link as the API of rebuilderd returns it for the package `name`."""
        materials = {f"{name}.buildinfo": {"sha256": "9" * 64, "sha512": "9" * 128}}
        products = {name: {"sha256": sha256, "sha512": "8" * 128}}
        block = Metablock(signed=Link(name=f"{step} {name}", materials=materials, products=products))
        block.create_signature(self._signer)
        return json.dumps(block.to_dict(), separators=(",", ":")).encode()

    def envelope(self, statement: dict[str, Any]) -> Envelope:
        envelope = Envelope(PAYLOAD_TYPE, json.dumps(statement).encode())
        made = self._signer.sign(envelope.signed_bytes)
        return envelope.with_signature(EnvelopeSignature(made.keyid, bytes.fromhex(made.signature)))

    def certificate(self) -> bytes:
        """Return a short-lived certificate of the key in DER, as Fulcio issues one for each signature."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sigstore-intermediate")])
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._private.public_key())
        builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(minutes=10))
        return builder.sign(self._private, hashes.SHA256()).public_bytes(Encoding.DER)


def oss_rebuild(by: Rebuilder, name: str, upstream: str, rebuilt: str) -> bytes:
    """Return a rebuild.intoto.jsonl: the build of `rebuilt`, and its equivalence to `upstream` after stabilization."""
    target = f"https://files.example/{name}"
    dependencies = [
        {"name": f"rebuild/{name}", "digest": {"sha256": rebuilt}},
        {"name": target, "digest": {"sha256": upstream}},
    ]
    equivalence = _provenance(
        "https://docs.oss-rebuild.dev/builds/ArtifactEquivalence@v0.1",
        {"candidate": f"rebuild/{name}", "target": target},
        dependencies,
        HOST,
    )
    rebuild = _provenance(
        "https://docs.oss-rebuild.dev/builds/Rebuild@v0.1",
        {"artifact": name, "ecosystem": "pypi", "package": "app", "version": "1.0"},
        [{"name": "git+https://git.example/app", "digest": {"sha1": "7" * 40}}],
        HOST,
        {"startedOn": "2026-11-20T01:02:03.456789Z", "finishedOn": "2026-11-20T01:03:04.5Z"},
    )
    statements = [_statement(name, upstream, equivalence), _statement(f"rebuild/{name}", rebuilt, rebuild)]
    return b"".join(by.envelope(one).encode() + b"\n" for one in statements)


def github(by: Rebuilder, name: str, sha256: str, *, hint: bool = False) -> bytes:
    """Return a Sigstore bundle as `gh attestation download` writes it; with `hint` it names a key, not a certificate."""
    predicate = _provenance(
        "https://actions.github.io/buildtypes/workflow/v1",
        {"workflow": {"ref": "refs/tags/v1", "repository": "https://github.com/o/app", "path": "release.yml"}},
        [{"uri": "git+https://github.com/o/app@refs/tags/v1", "digest": {"gitCommit": "6" * 40}}],
        RUNNER,
        {"invocationId": "https://github.com/o/app/actions/runs/1/attempts/1"},
    )
    envelope = by.envelope(_statement(name, sha256, predicate))
    encoded = json.loads(envelope.encode())
    material = {"publicKey": {"hint": encoded["signatures"][0]["keyid"]}}
    if not hint:
        material = {"certificate": {"rawBytes": base64.b64encode(by.certificate()).decode()}}
    encoded["signatures"] = [{"sig": encoded["signatures"][0]["sig"]}]
    document = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {**material, "tlogEntries": [], "timestampVerificationData": {"rfc3161Timestamps": []}},
        "dsseEnvelope": encoded,
    }
    return json.dumps(document).encode()


def _statement(name: str, sha256: str, predicate: dict[str, Any]) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": predicate,
    }


def _provenance(
    kind: str,
    parameters: dict[str, Any],
    dependencies: list[dict[str, Any]],
    builder: str,
    metadata: dict[str, str] | None = None,
) -> dict[str, Any]:
    definition = {"buildType": kind, "externalParameters": parameters, "resolvedDependencies": dependencies}
    return {"buildDefinition": definition, "runDetails": {"builder": {"id": builder}, "metadata": metadata or {}}}
