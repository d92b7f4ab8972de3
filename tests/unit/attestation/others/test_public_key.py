"""Public keys as others write them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from pytest_ftc.attestation.others.public_key import strict_pem

PUBLIC = Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key()
STRICT = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def with_null() -> bytes:
    """Return the key as rebuilderd writes it: with NULL for parameters, and lines that end as in mail."""
    raw = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = base64.b64encode(bytes.fromhex("302c300706032b65700500032100") + raw)
    return b"-----BEGIN PUBLIC KEY-----\r\n" + text + b"\r\n-----END PUBLIC KEY-----\r\n"


def test_a_key_of_rebuilderd_is_read():
    with pytest.raises(ValueError, match="ASN.1"):
        load_pem_public_key(with_null())
    assert load_pem_public_key(strict_pem(with_null())) == PUBLIC


@pytest.mark.parametrize("pem", [STRICT, b"", b"x", with_null().replace(b"MCww", b"!!!!"), with_null()[:60]])
def test_others_are_left_alone(pem):
    assert strict_pem(pem) == pem
