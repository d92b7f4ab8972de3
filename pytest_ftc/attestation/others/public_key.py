"""Public keys as others write them."""

from __future__ import annotations

import base64
import binascii
import re

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]{1,200})-----END PUBLIC KEY-----")
_WITH_NULL = bytes.fromhex("302c300706032b65700500032100")
_WITHOUT = bytes.fromhex("302a300506032b6570032100")
_KEY_BYTES = 32


def strict_pem(pem: bytes) -> bytes:
    """Return the public key `pem` as RFC 8410 (section 3) defines it, if it is an ed25519 key; others unchanged.

    The algorithm has no parameters there.  rebuilderd publishes keys with NULL in their place, which libraries refuse.
    """
    match = _PEM.search(pem)
    try:
        der = base64.b64decode(b"".join(match[1].split()), validate=True) if match else b""
    except binascii.Error:
        return pem
    if not der.startswith(_WITH_NULL) or len(der) != len(_WITH_NULL) + _KEY_BYTES:
        return pem
    text = base64.b64encode(_WITHOUT + der[len(_WITH_NULL) :])
    return b"-----BEGIN PUBLIC KEY-----\n" + text + b"\n-----END PUBLIC KEY-----\n"
