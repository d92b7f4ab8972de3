"""Signing and verifying envelopes with keys in files, tokens and key management services, by securesystemslib."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.judge import KeyFacts
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.public_key import strict_pem
from pytest_ftc.model.errors import ConfigurationError, FtcError

if TYPE_CHECKING:
    from securesystemslib.signer import Signature, Signer, SSlibKey

T = TypeVar("T")
PIN_VARIABLE = "FTC_HSM_PIN"
"""The environment variable with the PIN of a PKCS#11 token."""
SECONDS = 30.0
"""How long a signer may take for one signature."""
NO_EXTRA = "signing needs the extra 'sign': pip install 'pytest-ftc[sign]'"


class SigningError(FtcError):
    """A signer is down, slow, sealed or refuses: the document can be signed later."""


class NotInstalledError(FtcError):
    """The library that signs and verifies is not installed."""


def sign(envelope: Envelope, uris: Sequence[str], *, seconds: float = SECONDS) -> Envelope:
    """Return `envelope` with a signature by each signer in `uris`, such as ``file2:release.pem`` or ``hv:ftc/1``.

    Raises SigningError, ConfigurationError for a URI that names no signer, and NotInstalledError.
    """
    for uri in uris:
        made = _within(seconds, uri, partial(_sign_with, uri, envelope.signed_bytes))
        envelope = envelope.with_signature(EnvelopeSignature(made.keyid, bytes.fromhex(made.signature)))
    return envelope


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
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from securesystemslib.signer import SSlibKey
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    try:
        return SSlibKey.from_crypto(load_pem_public_key(strict_pem(key.pem)))
    except (UnsupportedAlgorithm, ValueError) as error:
        raise ConfigurationError(f"the key {key.name!r} cannot be used: {error}") from None


def _sign_with(uri: str, data: bytes) -> Signature:
    return _open_signer(uri).sign(data)


def _within(seconds: float, uri: str, call: Callable[[], T]) -> T:
    """Return what `call` returns; the libraries of key services have no deadline of their own.  Raises SigningError."""
    results: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((call(), None))
        except Exception as error:
            results.put((None, error))

    # Nobody waits at the end of the process for a service that never answers.
    threading.Thread(target=run, daemon=True, name="ftc-signer").start()
    try:
        value, error = results.get(timeout=seconds)
    except queue.Empty:
        raise SigningError(f"{uri}: no signature within {seconds:g} s") from None
    if isinstance(error, FtcError):
        raise error
    if error is not None:
        first = str(error).strip().partition("\n")[0]
        raise SigningError(f"{uri}: {type(error).__name__}: {first}") from None
    return cast("T", value)


def _read_pin(_: str) -> str:
    pin = os.environ.get(PIN_VARIABLE)
    if pin is None:
        raise ConfigurationError(f"the token asks for a PIN: set {PIN_VARIABLE}")
    return pin


def _open_signer(uri: str) -> Signer:
    try:
        from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, HSMSigner, VaultSigner
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    scheme, _, rest = uri.partition(":")
    if scheme == "file2":
        return _open_file(Path(rest), CryptoSigner)
    if scheme == "hv":
        name, _, version = rest.partition("/")
        newest, public = VaultSigner.import_(name)
        if version and newest != uri:
            raise ConfigurationError(f"{uri}: the newest version of this key is {newest}; older ones sign no more")
        return VaultSigner.from_priv_key_uri(newest, public)
    if scheme == "hsm":
        key, _, label = rest.partition("?label=")
        if not key.isdigit():
            raise ConfigurationError(f"{uri}: expected hsm:KEY?label=TOKEN, with the number of the key")
        imported, public = HSMSigner.import_(int(key), label or None)
        return HSMSigner.from_priv_key_uri(imported, public, _read_pin)
    known = ", ".join(sorted(f"{name}:" for name in SIGNER_FOR_URI_SCHEME))
    raise ConfigurationError(f"{uri}: no known signer; expected one of file2:, hsm:, hv: (the library knows {known})")


def _open_file(path: Path, signer: Any) -> Signer:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ConfigurationError(f"file2:{path}: {error.strerror or error}") from None
    except (TypeError, ValueError):
        raise ConfigurationError(f"file2:{path}: expected an unencrypted private key in PEM") from None
    opened: Signer = signer(private, SSlibKey.from_crypto(private.public_key()))
    return opened
