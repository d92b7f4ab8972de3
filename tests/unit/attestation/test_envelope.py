"""Envelopes."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature, parse_envelope
from pytest_ftc.attestation.strict_json import DocumentError

signatures = st.lists(st.builds(EnvelopeSignature, st.text(st.characters(codec="utf-8"), max_size=5), st.binary()), max_size=3)  # fmt: skip


@given(st.text(st.characters(codec="utf-8")), st.binary(), signatures.map(tuple))
def test_an_envelope_is_what_it_was(kind, payload, signed):
    envelope = Envelope(kind, payload, signed)
    assert parse_envelope(envelope.encode()) == envelope


def test_what_is_signed_is_the_example_of_the_specification():
    # The test vector of protocol.md.
    envelope = Envelope("http://example.com/HelloWorld", b"hello world")
    assert envelope.signed_bytes == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.text(st.characters(codec="utf-8")), st.binary(), st.text(st.characters(codec="utf-8")), st.binary())
def test_no_two_envelopes_have_the_same_signed_bytes(kind, payload, other_kind, other_payload):
    one, other = Envelope(kind, payload), Envelope(other_kind, other_payload)
    assert (one.signed_bytes == other.signed_bytes) == (one == other)


def test_both_alphabets_of_base64_are_read():
    payload = bytes(range(256))
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        document = {"payloadType": "t", "payload": encode(payload).decode(), "signatures": []}
        assert parse_envelope(json.dumps(document).encode()).payload == payload


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": "*"},
        {"payload": "a"},
        {"payload": 1},
        {"payloadType": None},
        {"signatures": {}},
        {"signatures": ["a"]},
        {"signatures": [{"sig": "*"}]},
        {"signatures": [{"keyid": "a"}]},
        {"signatures": [{"keyid": 1, "sig": ""}]},
        {"signatures": [{"sig": ""}] * 65},
    ],
)
def test_what_is_no_envelope_is_refused(changes):
    document = {"payloadType": "t", "payload": "", "signatures": [], **changes}
    with pytest.raises(DocumentError):
        parse_envelope(json.dumps(document).encode())
