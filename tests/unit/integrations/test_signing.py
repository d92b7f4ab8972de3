"""Signing with keys in files, and finding who has signed."""

import base64
import json
import time

import pytest
from attestations import good, signed_by

from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature, parse_envelope
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.statement import PAYLOAD_TYPE
from pytest_ftc.integrations import signing
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import SigningError, facts_of, find_signers, sign
from pytest_ftc.model.errors import ConfigurationError


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    folder = KeyFolder(tmp_path_factory.mktemp("keys"))
    folder.new("a", "ed25519", "us")
    folder.new("b", "ed25519", "them")
    folder.new("pq", "ml-dsa-65", "us")
    return folder


def signers(envelope, ring):
    return {key.name for key in find_signers(envelope, ring.keys().values())}


@pytest.mark.parametrize("names", [("a",), ("a", "pq"), ("a", "b", "pq")])
def test_those_who_signed_are_found(ring, names):
    envelope = parse_envelope(signed_by(ring, *names, statement=good()).encode())
    assert signers(envelope, ring) == set(names)


def test_ed25519_signs_equal_documents_equally(ring):
    assert signed_by(ring, "a", statement=good()) == signed_by(ring, "a", statement=good())


def test_the_id_of_a_key_proves_nothing(ring):
    envelope = signed_by(ring, "a", statement=good())
    renamed = Envelope(
        envelope.payload_type,
        envelope.payload,
        tuple(EnvelopeSignature("b", one.signature) for one in envelope.signatures),
    )
    assert signers(renamed, ring) == {"a"}


@pytest.mark.parametrize("change", ["payload", "payload_type", "signature"])
def test_a_changed_envelope_is_signed_by_nobody(ring, change):
    envelope = signed_by(ring, "a", "pq", statement=good())
    parts = {"payload_type": envelope.payload_type, "payload": envelope.payload, "signatures": envelope.signatures}
    if change == "payload":
        parts["payload"] = envelope.payload.replace(b"app", b"apq")
    elif change == "payload_type":
        parts["payload_type"] = "text/plain"
    else:
        parts["signatures"] = tuple(EnvelopeSignature(one.key_id, one.signature[::-1]) for one in envelope.signatures)
    assert signers(Envelope(**parts), ring) == set()


def test_one_key_under_two_names_has_the_same_material(ring):
    a, b, pq = (ring.keys()[name] for name in ("a", "b", "pq"))
    twin = PublicKey(name="twin", pem=a.pem + b"\n", operator="them")
    assert facts_of(a) == facts_of(twin)
    assert facts_of(a) != facts_of(b)
    assert (facts_of(a).scheme, facts_of(pq).scheme) == ("ed25519", "ml-dsa-65")


def test_bare_cryptography_accepts_it(ring):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    document = json.loads(signed_by(ring, "a", statement=good()).encode())
    kind, payload = document["payloadType"].encode(), base64.b64decode(document["payload"])
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    public = load_pem_public_key(ring.keys()["a"].pem)
    public.verify(base64.b64decode(document["signatures"][0]["sig"]), signed)


def test_in_toto_accepts_it(ring):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from in_toto.models.metadata import Envelope as InToto
    from securesystemslib.signer import SSlibKey

    envelope = InToto.from_dict(json.loads(signed_by(ring, "a", statement=good()).encode()))
    key = SSlibKey.from_crypto(load_pem_public_key(ring.keys()["a"].pem))
    envelope.verify_signature({"keyid": key.keyid, **key.to_dict()})


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("file2:none.pem", "No such file"),
        ("carrier-pigeon:coo", "no known signer; expected one of file2:, hsm:, hv:"),
        ("hsm:key", "expected hsm:KEY"),
    ],
)
def test_a_wrong_signer_is_one_clear_error(uri, said):
    with pytest.raises(ConfigurationError, match=said):
        sign(Envelope(PAYLOAD_TYPE, b""), [SignerReference(uri)])


def test_a_file_that_holds_no_private_key_is_one_clear_error(ring):
    with pytest.raises(ConfigurationError, match="expected an unencrypted private key in PEM"):
        sign(Envelope(PAYLOAD_TYPE, b""), [SignerReference(f"file2:{ring.folder / 'a.pub'}")])


def test_a_key_that_is_none_is_one_clear_error():
    broken = PublicKey(name="x", pem=b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", operator="x")
    with pytest.raises(ConfigurationError, match="the key 'x' cannot be used"):
        facts_of(broken)


def test_a_signer_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(signing, "_sign_with", lambda uri, data: time.sleep(60))
    with pytest.raises(SigningError, match=r"hv:ftc: no signature within 0.1 s"):
        sign(Envelope(PAYLOAD_TYPE, b""), [SignerReference("hv:ftc")], seconds=0.1)


def test_a_signer_that_is_down_is_an_error_of_signing(monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    monkeypatch.setenv("VAULT_TOKEN", "secret-token")
    with pytest.raises(SigningError, match="hv:ftc") as caught:
        sign(Envelope(PAYLOAD_TYPE, b""), [SignerReference("hv:ftc")])
    assert "secret-token" not in str(caught.value)
