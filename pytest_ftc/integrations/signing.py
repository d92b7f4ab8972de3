"""Signing and verifying envelopes with keys in files, tokens and key management services, by securesystemslib."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.judge import KeyFacts
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.integrations.deadline import call_within
from pytest_ftc.integrations.signer_errors import explain
from pytest_ftc.integrations.signers import (
    NO_EXTRA,
    PIN_VARIABLE,
    NotInstalledError,
    SignerReference,
    SigningError,
    load_public_pem,
    open_signer,
)
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind

if TYPE_CHECKING:
    from securesystemslib.signer import Signature, SSlibKey

__all__ = [
    "NO_EXTRA",
    "PIN_VARIABLE",
    "NotInstalledError",
    "SigningError",
    "facts_of",
    "find_signers",
    "read_public_key",
    "sign",
    "sign_once",
]

T = TypeVar("T")
SECONDS = 30.0
"""How long a signer may take for one signature."""


def sign(envelope: Envelope, signers: Sequence[SignerReference], *, seconds: float = SECONDS) -> Envelope:
    """Return `envelope` with a signature by each of the `signers`.

    Raises SigningError, ConfigurationError for a URI that names no signer, and NotInstalledError.
    """
    for signer in signers:
        envelope = sign_once(envelope, signer, seconds=seconds)
    return envelope


def sign_once(envelope: Envelope, signer: SignerReference, *, seconds: float = SECONDS) -> Envelope:
    """Return `envelope` with a signature by `signer` that is valid with its public key.  Raises as `sign`."""
    # The rest of the URI may say more than other systems should know.
    with timing().phase(PhaseKind.SIGN, signer=signer.uri.partition(":")[0]):
        made = _within(seconds, signer.uri, partial(_sign_with, signer, envelope.signed_bytes))
    return envelope.with_signature(EnvelopeSignature(made.keyid, bytes.fromhex(made.signature)))


def read_public_key(uri: str, *, seconds: float = SECONDS) -> tuple[str, bytes]:
    """Return the URI of the signer `uri`, with the version that signs now, and its public key in PEM.

    Raises as `sign`.
    """
    return _within(seconds, uri, partial(_read_public, uri))


def find_signers(envelope: Envelope, keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """Return those of the `keys` that have signed `envelope`.

    Each signature is tried with each key: the id of a key is only what the envelope says.  Raises NotInstalledError.
    """
    return tuple(key for key in keys if any(_is_by(key, one, envelope) for one in envelope.signatures))


def facts_of(key: PublicKey) -> KeyFacts:
    """Return what distinguishes `key` from others.  Raises ConfigurationError, NotInstalledError."""
    loaded = _load_public(key)
    encoded = f"{loaded.keytype}\0{loaded.keyval['public']}".encode()
    return KeyFacts(hashlib.sha256(encoded).digest(), loaded.scheme.partition("/")[0])


def _is_by(key: PublicKey, signature: EnvelopeSignature, envelope: Envelope) -> bool:
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
    from securesystemslib.signer import Signature

    loaded = _load_public(key)
    try:
        loaded.verify_signature(Signature(loaded.keyid, signature.signature.hex()), envelope.signed_bytes)
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True


@cache
def _load_public(key: PublicKey) -> SSlibKey:
    try:
        return load_public_pem(key.pem)
    except ValueError as error:
        raise ConfigurationError(f"the key {key.name!r} cannot be used: {error}") from None


def _sign_with(signer: SignerReference, data: bytes) -> Signature:
    opened = open_signer(signer)
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

    made = opened.sign(data)
    public = load_public_pem(signer.pem) if signer.pem else opened.public_key
    try:
        public.verify_signature(made, data)
    except (UnverifiedSignatureError, VerificationError):
        known = "the public key of the keyring" if signer.pem else "its own public key"
        raise SigningError(f"{signer.uri}: what it signs is not valid with {known}") from None
    return made


def _read_public(uri: str) -> tuple[str, bytes]:
    opened = open_signer(SignerReference(uri))
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
    from securesystemslib.signer import VaultSigner

    if isinstance(opened, VaultSigner):
        uri = f"hv:{opened.hv_key_name}/{opened.hv_key_version}"
    text: str = opened.public_key.keyval["public"]
    is_pem = text.startswith("-----BEGIN")
    public = load_pem_public_key(text.encode()) if is_pem else Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    return uri, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _within(seconds: float, uri: str, call: Callable[[], T]) -> T:
    """Return what `call` returns; the libraries of key services have no deadline of their own.  Raises SigningError."""
    try:
        return call_within(seconds, call)
    except FtcError:
        raise
    except TimeoutError:
        raise SigningError(f"{uri}: no signature within {seconds:g} s") from None
    except Exception as error:
        raise SigningError(f"{uri}: {explain(error)}") from None
