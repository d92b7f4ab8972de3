"""Content digests."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

_FORM = re.compile(r"([0-9a-f]{64})/(0|[1-9][0-9]{0,18})")


class Digest(NamedTuple):
    """Identifies a content by its SHA-256 in hexadecimal and its size in bytes, as in the Remote Execution API v2.

    See https://github.com/bazelbuild/remote-apis, message ``Digest``.
    """

    hash: str
    size: int

    def __str__(self) -> str:
        return f"{self.hash}/{self.size}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Return the digest that `str` wrote as `text`.  Raises ValueError."""
        match = _FORM.fullmatch(text)
        if not match:
            raise ValueError(f"expected a digest such as {'0' * 64}/0, found {text[:80]!r}")
        return cls(match[1], int(match[2]))

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """Return the digest of `data`."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))
