"""DSSE envelopes: a payload, its type, and signatures over both.

See https://github.com/secure-systems-lab/dsse/blob/master/envelope.md and protocol.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace

from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object

_WHAT = "envelope"
MOST_SIGNATURES = 64


@dataclass(frozen=True, slots=True)
class EnvelopeSignature:
    """A signature, and the id of the key that is said to have made it: a hint, which proves nothing."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its signatures."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...] = ()

    @property
    def signed_bytes(self) -> bytes:
        """What a signature covers: the pre-authentication encoding of payload and type (protocol.md)."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    def with_signature(self, signature: EnvelopeSignature) -> Envelope:
        """Return the envelope with one more signature."""
        return replace(self, signatures=(*self.signatures, signature))

    def encode(self) -> bytes:
        """Return the envelope as JSON."""
        document = {
            "payloadType": self.payload_type,
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [
                {"keyid": one.key_id, "sig": base64.b64encode(one.signature).decode()} for one in self.signatures
            ],
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def parse_envelope(data: bytes) -> Envelope:
    """Return the envelope in `data`, with no claim about its signatures.  Raises DocumentError."""
    document = parse_object(data, _WHAT)
    listed = field(document, "signatures", list, _WHAT)
    if len(listed) > MOST_SIGNATURES:
        raise DocumentError(f"{_WHAT}: signatures: more than {MOST_SIGNATURES}")
    return Envelope(
        field(document, "payloadType", str, _WHAT),
        decode_base64(field(document, "payload", str, _WHAT), f"{_WHAT}: payload"),
        tuple(_parse_signature(one) for one in listed),
    )


def decode_base64(text: str, what: str) -> bytes:
    """Return what `text` encodes; DSSE permits the standard and the URL-safe alphabet.  Raises DocumentError."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DocumentError(f"{what}: no valid base64: {error}") from None


def _parse_signature(value: object) -> EnvelopeSignature:
    if not isinstance(value, dict):
        raise DocumentError(f"{_WHAT}: signatures: expected objects")
    key_id = value.get("keyid", "")
    if not isinstance(key_id, str):
        raise DocumentError(f"{_WHAT}: signatures: keyid: expected text")
    what = f"{_WHAT}: signatures: sig"
    return EnvelopeSignature(key_id, decode_base64(field(value, "sig", str, what), what))
