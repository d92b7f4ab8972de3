"""Files with attestations."""

import json

import pytest

from pytest_ftc.attestation.bundle import encode_bundle, parse_envelopes
from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.strict_json import DocumentError

ONE = Envelope("t", b"one", (EnvelopeSignature("k", b"s"),))
TWO = Envelope("t", b"two")


def test_an_envelope():
    assert parse_envelopes(ONE.encode() + b"\n") == [ONE]


def test_an_envelope_over_several_lines():
    assert parse_envelopes(json.dumps(json.loads(ONE.encode()), indent=2).encode()) == [ONE]


def test_lines_of_envelopes():
    assert parse_envelopes(ONE.encode() + b"\n\n" + TWO.encode() + b"\n") == [ONE, TWO]


def test_a_bundle_holds_the_signature_of_its_key():
    both = ONE.with_signature(EnvelopeSignature("other", b"x"))
    assert parse_envelopes(encode_bundle(both, "k")) == [ONE]
    document = json.loads(encode_bundle(both, "k"))
    assert document["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert document["verificationMaterial"]["publicKey"] == {"hint": "k"}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}', b"{}\n{}\n", b"[]"]
)
def test_what_holds_none_is_refused(data):
    with pytest.raises(DocumentError):
        parse_envelopes(data)
