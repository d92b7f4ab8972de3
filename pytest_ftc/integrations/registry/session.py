"""HTTP sessions with registries: bounded waits and sizes, permitted URLs only, and authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from pytest_ftc.integrations.registry.manifest import RefusedError
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.oci_reference import ImageName
from pytest_ftc.model.support.printable import shorten

LARGEST_MANIFEST = 4 << 20
"""Bytes; the OCI distribution specification requires registries to accept manifests of at least this size."""
NO_ACCESS = "the registry denies access; log in to it, for example with `docker login`"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits on the size and duration of transfers from and to a registry."""

    connect: float = 10
    read: float = 30
    """Seconds without a byte."""
    start: float = 60
    """Seconds for one manifest, and those that a file may take in addition to its time at the `slowest` rate."""
    slowest: float = 128 << 10
    """Lowest accepted transfer rate of a file, in bytes per second."""
    total: float = 900
    """Seconds for all files of one reference."""
    size: int = 4 << 30
    """Largest total size of all files of one reference, in bytes."""

    persistence: Persistence = field(default_factory=Persistence)


def make_session(image: ImageName, bounds: Bounds) -> Any:
    """Return a `requests` session with bounded waits, bounded responses and only permitted URLs."""
    requests: Any = import_module("requests")

    class Careful(requests.adapters.HTTPAdapter):  # type: ignore[misc]
        def send(self, request: Any, stream: bool = False, **others: Any) -> Any:
            url = urlsplit(request.url)
            if url.scheme != "https" and not (image.plain and url.netloc == image.registry):
                raise RefusedError(f"it refers to {shorten(url.netloc, 80)} over plain HTTP")
            if request.method not in ("GET", "HEAD") and url.netloc != image.registry:
                raise RefusedError(f"it refers to another host ({shorten(url.netloc, 80)}) for what it is sent")
            others["timeout"] = (bounds.connect, bounds.read)
            if image.local:
                others["proxies"] = {}
            response = super().send(request, stream=True, **others)
            if not stream or response.status_code != 200:
                # requests would read such a body without a limit, or leave the connection open.
                with closing(response):
                    response._content = b"".join(read_body(response, LARGEST_MANIFEST))
            return response

    session = requests.Session()
    session.max_redirects = 5
    session.mount("https://", Careful())
    session.mount("http://", Careful())
    return session


def make_auth(registry: Any) -> Any:
    """Return an authenticator that answers challenges of a registry with a token or with basic credentials."""

    class Auth(import_module("oras.auth").TokenAuth):  # type: ignore[misc]
        known: Mapping[str, str] = {}
        """Headers with the credentials that it asked for, so that no content is sent in vain again."""

        def authenticate_request(self, original: Any, headers: Any, refresh: bool = False) -> Any:
            basic = getattr(self, "_basic_auth", "")
            sent = original.request.headers.get("Authorization")
            if original.headers.get("WWW-Authenticate", "").lower().startswith("basic"):
                if not basic or sent:
                    raise RefusedError(NO_ACCESS)
                self.known = {"Authorization": f"Basic {basic}"}
                return {**(headers or {}), **self.known}, True
            # A token that was refused is too old, or permits less than this request needs, such as reading only.
            refresh = refresh or bool(self.token and sent == f"Bearer {self.token}")
            headers, changed = super().authenticate_request(original, headers, refresh)
            if not changed:
                raise RefusedError(NO_ACCESS)
            return headers, changed

    auth = Auth()
    auth.session, auth.prefix, auth._tls_verify = registry.session, registry.prefix, True
    return auth


def read_body(response: Any, most: int, error: type[RefusedError] = RefusedError) -> Iterator[bytes]:
    """Yield the body, which may have at most `most` bytes.  Raises `error` where it has more."""
    size = 0
    for data in response.iter_content(_CHUNK):
        size += len(data)
        if size > most:
            raise error(f"the registry sends more than {most} bytes")
        yield data


def describe_error(error: Exception) -> tuple[str, bool]:
    """Return a description of an error of requests, and whether it is transient.

    Only its class is used: its text may contain a header, or a URL with a signature.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    for kind, text, passing in (
        ("SSLError", "the registry's certificate is not accepted", False),
        ("Timeout", "the registry did not answer in time", False),
        ("TooManyRedirects", "too many redirects", False),
        ("ChunkedEncodingError", "the connection was lost", True),
        ("ConnectionError", "the connection to the registry failed", True),
    ):
        if kind in kinds:
            return text, passing
    return f"unexpected answer from the registry ({type(error).__name__})", False
