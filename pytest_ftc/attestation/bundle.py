"""Files with attestations: a DSSE envelope, a Sigstore bundle, an in-toto link, or lines of these.

See https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto and
https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md (JSON lines).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from pytest_ftc.attestation.envelope import Envelope, parse_envelope
from pytest_ftc.attestation.others.link import parse_signed_link
from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object

BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_FAMILY = "application/vnd.dev.sigstore.bundle"
_MOST_LINES = 10_000


def parse_envelopes(data: bytes) -> list[Envelope]:
    """Return the envelopes in a file, with no claim about their signatures.

    Only envelopes count of a bundle: its certificates and log entries are not evaluated.  Raises DocumentError.
    """
    lines = data.splitlines()
    if len(lines) > 1 and all(_begins_object(line) for line in lines):
        if len(lines) > _MOST_LINES:
            raise DocumentError(f"more than {_MOST_LINES} lines")
        return [_parse(line) for line in lines if line.strip()]
    return [_parse(data)]


def encode_bundle(envelope: Envelope, key_hint: str) -> bytes:
    """Return a Sigstore bundle with `envelope`, for verifiers that are given the key that `key_hint` names."""
    encoded: dict[str, Any] = json.loads(envelope.encode())
    document = {
        "mediaType": BUNDLE_MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": encoded["payload"],
            "payloadType": encoded["payloadType"],
            # A bundle has exactly one signature, whose key its verification material names.
            "signatures": [
                {"sig": base64.b64encode(one.signature).decode(), "keyid": one.key_id}
                for one in envelope.signatures
                if one.key_id == key_hint
            ],
        },
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _begins_object(line: bytes) -> bool:
    line = line.strip()
    return not line or (line.startswith(b"{") and line.endswith(b"}"))


def _parse(data: bytes) -> Envelope:
    document = parse_object(data, "attestation")
    if str(document.get("mediaType", "")).startswith(_FAMILY):
        return parse_envelope(json.dumps(field(document, "dsseEnvelope", dict, "bundle")).encode())
    return parse_signed_link(document) if "signed" in document else parse_envelope(data)
