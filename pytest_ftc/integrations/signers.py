"""Signers by URI: keys in files, PKCS#11 tokens and key management services, opened by securesystemslib."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pytest_ftc.attestation.others.public_key import strict_pem
from pytest_ftc.model.errors import ConfigurationError, FtcError, UnknownSignerError
from pytest_ftc.model.support.suggestion import suggest

if TYPE_CHECKING:
    from securesystemslib.signer import Signer, SSlibKey

PIN_VARIABLE = "FTC_HSM_PIN"
"""The environment variable with the PIN of a PKCS#11 token."""
NO_EXTRA = "signing needs the extra 'sign': pip install 'pytest-ftc[sign]'"
_LIBRARIES = {
    "hv": "hvac",
    "hsm": "pkcs11",
    "awskms": "boto3",
    "gcpkms": "google.cloud.kms",
    "azurekms": "azure.keyvault.keys",
}
_NEEDS = {"hv": "'pytest-ftc[sign,vault]'", "hsm": "'pytest-ftc[sign,hsm]'"}


class SigningError(FtcError):
    """A signer is down, slow, sealed or refuses: the document can be signed later."""


class NotInstalledError(FtcError):
    """The library that signs and verifies is not installed."""


@dataclass(frozen=True, slots=True)
class SignerReference:
    """A signer, and the public key with which its signatures must be valid."""

    uri: str
    """Such as ``file2:/home/me/release.pem`` or ``hv:ftc/1``."""
    pem: bytes = b""
    """A SubjectPublicKeyInfo in PEM (RFC 7468); empty where no keyring has it."""


def check_signer(signer: SignerReference) -> None:
    """Raise ConfigurationError unless the URI names a signer; a key in a file must be readable too.

    Asks no service.  Raises NotInstalledError where the signer's library is missing.
    """
    scheme = signer.uri.partition(":")[0]
    if _opener(signer.uri) is _open_file:
        open_signer(signer)
    elif not (_is_installed("securesystemslib") and _is_installed("cryptography")):
        raise NotInstalledError(NO_EXTRA)
    elif not _is_installed(_LIBRARIES[scheme]):
        raise _not_installed(signer.uri)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def open_signer(signer: SignerReference) -> Signer:
    """Return the library's signer, which may ask a service for its public key.

    Raises ConfigurationError, SigningError, NotInstalledError, and what the service's library raises.
    """
    opener = _opener(signer.uri)
    try:
        from securesystemslib.exceptions import UnsupportedLibraryError
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    public = load_public_pem(signer.pem) if signer.pem else None
    try:
        return opener(signer.uri, public)
    except UnsupportedLibraryError:
        raise _not_installed(signer.uri) from None


def load_public_pem(pem: bytes) -> SSlibKey:
    """Return the public key in `pem`.  Raises NotInstalledError, and ValueError where it cannot be used."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from securesystemslib.signer import SSlibKey
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    try:
        return SSlibKey.from_crypto(load_pem_public_key(strict_pem(pem)))
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None


def _opener(uri: str) -> Callable[[str, SSlibKey | None], Signer]:
    scheme = uri.partition(":")[0]
    if scheme not in _KNOWN:
        why = "a GnuPG signature names no key that a policy could hold; " if scheme == "gnupg" else ""
        near = suggest(scheme, _KNOWN)
        hint = f"; did you mean {near!r}? " if near else "; "
        expected = ", ".join(f"{name}:" for name in _KNOWN)
        raise UnknownSignerError(f"{uri}: no known signer{hint}{why}expected one of {expected}")
    pattern, opener = _KNOWN[scheme]
    if not re.fullmatch(pattern.pattern, uri):
        raise UnknownSignerError(f"{uri}: expected {pattern.form}")
    return opener


def _not_installed(uri: str) -> NotInstalledError:
    scheme = uri.partition(":")[0]
    needs = _NEEDS.get(scheme, f"'pytest-ftc[sign]' 'securesystemslib[{scheme}]'")
    return NotInstalledError(f"{uri}: the library of this signer is not installed: pip install {needs}")


def _open_file(uri: str, _: SSlibKey | None) -> Signer:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner, SSlibKey

    try:
        private: Any = load_pem_private_key(Path(uri.partition(":")[2]).read_bytes(), None)
    except OSError as error:
        raise ConfigurationError(f"{uri}: {error.strerror or error}") from None
    except (TypeError, ValueError):
        raise ConfigurationError(f"{uri}: expected an unencrypted private key in PEM") from None
    return CryptoSigner(private, SSlibKey.from_crypto(private.public_key()))


def _open_vault(uri: str, public: SSlibKey | None) -> Signer:
    """With version and public key there is no need to read the key: a token may sign and nothing else."""
    from securesystemslib.signer import VaultSigner

    name, _, version = uri.partition(":")[2].partition("/")
    if public and version:
        return VaultSigner.from_priv_key_uri(uri, public)
    try:
        newest, found = VaultSigner.import_(name)
    except (TypeError, ValueError) as error:
        if isinstance(error, OSError):
            raise
        raise ConfigurationError(f"{uri}: expected a key of the type ed25519") from None
    if version and newest != uri:
        raise SigningError(f"{uri}: the newest version of this key is {newest}; name that, or a key of the keyring")
    return VaultSigner.from_priv_key_uri(newest, found)


def _open_token(uri: str, public: SSlibKey | None) -> Signer:
    from securesystemslib.signer import HSMSigner

    key, _, query = uri.partition(":")[2].partition("?")
    if public is None:
        uri, public = HSMSigner.import_(int(key), dict(parse_qsl(query)).get("label"), _read_pin)
    return HSMSigner.from_priv_key_uri(uri, public, _read_pin)


def _read_pin(_: str) -> str:
    pin = os.environ.get(PIN_VARIABLE)
    if pin is None:
        raise ConfigurationError(f"the token asks for a PIN: set {PIN_VARIABLE}")
    return pin


def _open_aws(uri: str, public: SSlibKey | None) -> Signer:
    from securesystemslib.signer import AWSSigner

    return AWSSigner.from_priv_key_uri(uri, public or AWSSigner.import_(uri.partition(":")[2])[1])


def _open_google(uri: str, public: SSlibKey | None) -> Signer:
    from securesystemslib.signer import GCPSigner

    return GCPSigner.from_priv_key_uri(uri, public or GCPSigner.import_(uri.partition(":")[2])[1])


def _open_azure(uri: str, public: SSlibKey | None) -> Signer:
    from securesystemslib.signer import AzureSigner

    if public is None:
        host, _, path = uri.partition("//")[2].partition("/")
        uri, public = AzureSigner.import_(host.partition(".")[0], path.split("/")[1])
    return AzureSigner.from_priv_key_uri(uri, public)


@dataclass(frozen=True, slots=True)
class _Form:
    pattern: str
    form: str
    """What a URI looks like, for messages."""


_KNOWN: Mapping[str, tuple[_Form, Callable[[str, Any], Any]]] = {
    "file2": (_Form(r"file2:.+", "file2:PATH"), _open_file),
    "hsm": (
        _Form(r"hsm:[0-9]{1,9}(\?label=[^&#]+)?", "hsm:KEY?label=TOKEN, with the number of the key"),
        _open_token,
    ),
    "hv": (_Form(r"hv:[A-Za-z0-9_.-]+(/[0-9]{1,9})?", "hv:NAME or hv:NAME/VERSION"), _open_vault),
    "awskms": (_Form(r"awskms:\S+", "awskms:KEY, with its id, its ARN or an alias"), _open_aws),
    "gcpkms": (_Form(r"gcpkms:projects/\S+", "gcpkms:projects/…/cryptoKeyVersions/VERSION"), _open_google),
    "azurekms": (
        _Form(r"azurekms://[^/\s]+/keys/[^/\s]+(/\S+)?", "azurekms://VAULT.vault.azure.net/keys/KEY"),
        _open_azure,
    ),
}
