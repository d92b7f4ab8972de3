"""Reads a table of headers for a service: each value is a secret, of which the configuration says only where it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_ftc.builds.inputs.secret_sources import SecretSource, parse_source
from pytest_ftc.config.location import Place, quoted

HEADERS = "headers"
"""The key of the table."""
HTTP_NAME = re.compile(r"[a-z0-9_.-]+")
GRPC_NAME = re.compile(r"(?!grpc-)[a-z0-9_.-]+(?<!-bin)")
_LOCAL = re.compile(r"localhost|127\.[0-9.]+|\[::1\]")
_SOURCE = "expected 'env:VARIABLE', 'file:PATH' or 'vault:MOUNT/PATH#FIELD'; what is there is not shown"


def read_headers(
    place: Place, table: Mapping[str, Any], names: re.Pattern[str] = HTTP_NAME, *, protocol: str = "HTTP"
) -> dict[str, SecretSource]:
    """Return the sources of the headers in `table`, by `names` that its `protocol` allows.

    Raises ConfigurationError, which quotes no value: it may be a secret.
    """
    headers, below = table.get(HEADERS, {}), place.below(HEADERS)
    if not isinstance(headers, dict):
        place.fail(HEADERS, f"expected a table of sources, found {type(headers).__name__}")
    found = {}
    for name, value in headers.items():
        if not names.fullmatch(name):
            below.fail(
                quoted(name), f"expected the name of a header of {protocol} in lower case, such as 'authorization'"
            )
        source = parse_source(value) if isinstance(value, str) else None
        if source is None:
            below.fail(name, _SOURCE)
        found[name] = source
    return found


def is_local(host: str) -> bool:
    """Return whether `host` is this machine, so that nobody can read what is sent to it without TLS."""
    return _LOCAL.fullmatch(host) is not None
