"""Single requests to one repository of an OCI registry, by the distribution specification.

See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md.
Registries are not trusted: all contents are checked against their digests and sizes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from pytest_ftc.integrations.deadline import call_within
from pytest_ftc.integrations.registry.manifest import AbsentError, AlteredError, Layer, RefusedError
from pytest_ftc.integrations.registry.session import (
    LARGEST_MANIFEST,
    NO_ACCESS,
    Bounds,
    describe_error,
    make_auth,
    make_session,
    read_body,
)
from pytest_ftc.integrations.retry import ServiceError
from pytest_ftc.model.oci_reference import ImageName
from pytest_ftc.model.support.printable import shorten

T = TypeVar("T")

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")


class Client:
    """Connections to one registry for one reference."""

    def __init__(self, image: ImageName, bounds: Bounds) -> None:
        import_module("oras.logger").setup_logger(quiet=True)
        self._image = image
        container = import_module("oras.container").Container(image.target)
        # It takes a host without a port or a dot, such as localhost, for a folder of Docker Hub.
        container.registry = image.registry
        self._registry = import_module("oras.provider").Registry(insecure=image.plain)
        self._registry.session = make_session(image, bounds)
        self._registry.auth = make_auth(self._registry)
        self._registry.auth.load_configs(container)
        self._base = f"{self._registry.prefix}://{image.registry}/v2/{image.repository}"
        # The undecorated method, because `Service` decides about retries.
        self._send = type(self._registry).do_request.__wrapped__

    def close(self) -> None:
        """Close all connections."""
        self._registry.session.close()

    def manifest(self, reference: str = "", types: Collection[str] = _MANIFESTS) -> bytes:
        """Return the manifest `reference`, by default that of the image, after a check of its digest."""
        reference = reference or self._image.digest or self._image.tag
        with closing(self.request("GET", f"manifests/{reference}", {"Accept": ", ".join(types)})) as response:
            data = b"".join(read_body(response, LARGEST_MANIFEST))
            stated = response.headers.get("Docker-Content-Digest", "")
        found = f"sha256:{hashlib.sha256(data).hexdigest()}"
        pinned = reference if reference.startswith("sha256:") else ""
        expected = pinned or (stated if stated.startswith("sha256:") else found)
        if found != expected:
            raise AlteredError(f"its manifest has the digest {found}, not {shorten(expected, 80)}")
        return data

    def save(self, layer: Layer, path: Path) -> Path:
        """Write the content of `layer` to `path` and return `path`."""
        with open(path, "wb") as file:
            self._copy(layer, file.write)
        return path

    def read(self, layer: Layer) -> bytes:
        """Return the content of `layer`."""
        parts: list[bytes] = []
        self._copy(layer, parts.append)
        return b"".join(parts)

    def check(self, layer: Layer) -> None:
        """Read the content of `layer`, only to compare it with its digest and size."""
        self._copy(layer, lambda data: None)

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        expected: Collection[int] = (200,),
    ) -> Any:
        """Return the response, whose status is one of those `expected`.

        `path` is relative to the repository, or a location that the registry named.
        """
        url = path if "://" in path else f"{self._base}/{path}"
        headers = {**self._registry.auth.known, **(headers or {})}
        response = self._send(self._registry, url, method, data=data, headers=headers, stream=True)
        if response.status_code in expected:
            return response
        with closing(response):
            raise _refusal(response, "manifest" if "/manifests/" in url else "content")

    def locate(self, location: str, asked: str) -> str:
        """Return the `location` of an answer to the URL `asked`, if it is on the same host.  Raises RefusedError."""
        url = urljoin(asked, location)
        if not location or urlsplit(url).netloc != urlsplit(self._base).netloc:
            raise RefusedError(f"it refers to another host ({shorten(urlsplit(url).netloc, 80)}) for what it is sent")
        return url

    def _copy(self, layer: Layer, write: Callable[[bytes], object]) -> None:
        hashed, size = hashlib.sha256(), 0
        with closing(self.request("GET", f"blobs/{layer.digest}")) as response:
            for data in read_body(response, layer.size, AlteredError):
                hashed.update(data)
                size += len(data)
                write(data)
        found = f"sha256:{hashed.hexdigest()}"
        if (found, size) != (layer.digest, layer.size):
            raise AlteredError(
                f"the content does not match the manifest: expected {layer.digest} ({layer.size} bytes), "
                f"found {found} ({size} bytes)"
            )


def load_libraries() -> None:
    """Import what requests need, so that no deadline counts it.  Raises ModuleNotFoundError without the extra."""
    for name in ("oras.auth", "oras.container", "oras.logger", "oras.provider", "requests"):
        import_module(name)


def ask_once(image: ImageName, bounds: Bounds, question: Callable[[Client], T]) -> T:
    """Return the answer to `question` over new connections.  Raises RefusedError, ServiceError."""
    with translated_errors(), closing(Client(image, bounds)) as client:
        return question(client)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of requests as ServiceError."""
    try:
        yield
    except (RefusedError, ServiceError, ModuleNotFoundError):
        raise
    except Exception as error:
        if _is_local(error):
            raise RefusedError(f"what it sent cannot be written here: {error}") from None
        text, passing = describe_error(error)
        raise ServiceError(text, passing=passing) from None


def _is_local(error: Exception) -> bool:
    """Return whether an error is one of this machine's disk; those of requests are kinds of OSError too."""
    kinds = (OSError, PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
    return type(error) in kinds and isinstance(error, OSError) and error.errno is not None


def wait_for(work: Callable[[], T], seconds: float, cancelled: Callable[[], bool]) -> T:
    """Run `work` for at most so many `seconds`, so that a registry that sends slowly cannot block the session.

    Raises its errors, ServiceError when the time is over, RefusedError when the session was `cancelled`.
    """
    try:
        return call_within(seconds, work, cancelled)
    except TimeoutError:
        if cancelled():
            raise RefusedError("the session ended") from None
        raise ServiceError(f"it did not arrive within {max(0.0, seconds):.0f} s") from None


def _refusal(response: Any, what: str) -> Exception:
    """Return the error that a response is, whose status was not expected."""
    status = response.status_code
    if status == 404:
        return AbsentError(f"there is no such {what} in the registry")
    if status in (401, 403):
        return RefusedError(NO_ACCESS)
    text = f"the registry answered with status {status}"
    if status == 429 or status >= 500:
        asked = response.headers.get("Retry-After", "")
        return ServiceError(text, passing=True, after=float(asked) if re.fullmatch("[0-9]{1,9}", asked) else 0.0)
    code = re.search(rb'"code" *: *"([A-Z_]{1,40})"', response.content[:10_000])
    return RefusedError(f"{text} ({code[1].decode()})" if code else text)
