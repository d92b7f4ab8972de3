"""The order of members: by the bytes of their names, except where a format based on zip requires otherwise."""

from __future__ import annotations

from collections.abc import Callable

_FIRST = (
    # EPUB 3.3 section 4.2.2 and OpenDocument part 2 section 3.3: first and uncompressed.
    b"mimetype",
    # java.util.jar.JarInputStream looks for the manifest in the first two members only, and verifies no signature
    # unless the signature files come next.
    b"META-INF/",
    b"META-INF/MANIFEST.MF",
)
_SIGNATURES = (b".SF", b".RSA", b".DSA", b".EC")

Order = Callable[[bytes], tuple[int, bytes]]
"""A sort key for names."""


def is_signature(name: bytes) -> bool:
    """Return whether `name` is a signature file or block (JAR File Specification, "Signed JAR File")."""
    folder, _, base = name.upper().rpartition(b"/")
    return folder == b"META-INF" and (base.endswith(_SIGNATURES) or base.startswith(b"SIG-"))


def plain_order(name: bytes) -> tuple[int, bytes]:
    """Order members of any zip archive but a wheel."""
    if name in _FIRST:
        return _FIRST.index(name), name
    return len(_FIRST) + (0 if is_signature(name) else 1), name


def wheel_order(dist_info: bytes) -> Order:
    """Return the order for a wheel: its `dist_info` folder last, as the specification of wheels recommends.

    RECORD, which lists all other files, is the very last one, after its signatures.
    """
    last = (dist_info + b"RECORD.jws", dist_info + b"RECORD.p7s", dist_info + b"RECORD")

    def order(name: bytes) -> tuple[int, bytes]:
        if name in last:
            return 2 + last.index(name), name
        return int(name.startswith(dist_info)), name

    return order
