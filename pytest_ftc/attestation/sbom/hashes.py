"""Digests in lock files, as CycloneDX writes them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from pytest_ftc.attestation.strict_json import DocumentError

_NAMES: Mapping[str, tuple[str, int]] = {
    "md5": ("MD5", 16),
    "sha1": ("SHA-1", 20),
    "sha256": ("SHA-256", 32),
    "sha384": ("SHA-384", 48),
    "sha512": ("SHA-512", 64),
    "sha3_256": ("SHA3-256", 32),
    "sha3_512": ("SHA3-512", 64),
}
"""Names in CycloneDX and sizes in bytes, by the names in hashlib."""


def read_hashes(digests: Mapping[str, str], where: str) -> dict[str, str]:
    """Return hexadecimal `digests` by the names of CycloneDX, without algorithms that it does not have.

    Raises DocumentError.
    """
    return dict(_check(name.lower(), digest, where) for name, digest in digests.items() if name.lower() in _NAMES)


def read_integrity(text: str, where: str) -> dict[str, str]:
    """Return the digests of Subresource Integrity metadata (https://www.w3.org/TR/SRI/).  Raises DocumentError."""
    pairs = [word.partition("?")[0].partition("-") for word in text.split()]
    return read_hashes({name: _decode(encoded, where) for name, _, encoded in pairs}, where)


def read_h1(text: str, where: str) -> dict[str, str]:
    """Return the digest ``h1:BASE64`` of a Go module: SHA-256 of the list of its files (sumdb/dirhash).

    Raises DocumentError.
    """
    return read_hashes({"sha256": _decode(text.removeprefix("h1:"), where)}, where)


def _decode(encoded: str, where: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).hex()
    except (binascii.Error, ValueError):
        raise DocumentError(f"{where}: expected a digest in base64, found {encoded[:80]!r}") from None


def _check(name: str, digest: str, where: str) -> tuple[str, str]:
    known, size = _NAMES[name]
    if not isinstance(digest, str) or not re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", digest):
        raise DocumentError(f"{where}: {name}: expected {2 * size} hexadecimal digits, found {str(digest)[:80]!r}")
    return known, digest.lower()
