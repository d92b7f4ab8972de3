"""Published files in an OCI registry, as uploaded by ``oras push``; requires the extra ``oci``.

Registries are not trusted: all contents are checked against their digests and sizes, file names must not contain
paths, and sizes, waits and redirects are bounded.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pytest_ftc.integrations.oci_manifest import Layer, RefusedError, read_manifest
from pytest_ftc.integrations.retry import Persistence, Service, ServiceError
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.oci_reference import ImageName, parse_image
from pytest_ftc.model.support.printable import shorten

T = TypeVar("T")

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LARGEST_MANIFEST = 4 << 20
"""Bytes; the OCI distribution specification requires registries to accept manifests of at least this size."""
_CHUNK = 1 << 20
_NO_ACCESS = "the registry denies access; log in to it, for example with `docker login`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits on the size and duration of transfers from a registry."""

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


class OciImages:
    """The files of OCI references; each reference is resolved once per session."""

    def __init__(self, folder: Path, cancelled: Callable[[], bool] = lambda: False, bounds: Bounds | None = None):
        self._folder = folder
        self._cancelled = cancelled
        self._bounds = bounds or Bounds()
        self._registries: dict[str, Service] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._layers: dict[str, Mapping[str, Layer]] = {}
        self._files: dict[str, Mapping[str, Path]] = {}

    def digests(self, name: str) -> Mapping[str, str]:
        """Return the sha256 of each file of the reference `name`, by file name.  Raises SourceError."""
        with self._turns.setdefault(name, threading.Lock()):
            return {title: layer.digest.removeprefix("sha256:") for title, layer in self._list(name).items()}

    def fetch(self, name: str) -> Mapping[str, Path]:
        """Download the files of the reference `name` and verify their digests.  Raises SourceError."""
        with self._turns.setdefault(name, threading.Lock()):
            if name not in self._files:
                layers = self._list(name)
                folder = self._folder / f"oci-{secrets.token_hex(8)}"
                folder.mkdir(parents=True)
                end = time.monotonic() + self._bounds.total
                self._files[name] = {
                    title: self._ask(
                        name, partial(_Client.save, layer=layer, path=folder / str(number)), size=layer.size, end=end
                    )
                    for number, (title, layer) in enumerate(layers.items())
                }
            return self._files[name]

    def _list(self, name: str) -> Mapping[str, Layer]:
        if name not in self._layers:
            self._layers[name] = self._ask(name, lambda client: read_manifest(client.manifest(), self._bounds.size))
        return self._layers[name]

    def _ask(self, name: str, question: Callable[[_Client], T], *, size: int = 0, end: float = math.inf) -> T:
        """Return the answer to `question`, which has `size` bytes and must arrive before `end` (monotonic seconds)."""
        image = parse_image(name)
        assert image is not None, "configuration has checked it"
        registry = self._registries.setdefault(image.registry, Service(self._bounds.persistence, self._cancelled))
        try:
            return registry.call(lambda: self._wait_for(partial(_ask_once, image, self._bounds, question), size, end))
        except (RefusedError, ServiceError) as error:
            raise SourceError(f"reference: {name}: {error}") from None
        except ModuleNotFoundError:
            raise SourceError(
                f"reference: {name}: OCI references need oras, which is not installed",
                advice="pip install 'pytest-ftc[oci]'",
            ) from None

    def _wait_for(self, work: Callable[[], T], size: int, end: float) -> T:
        """Run `work` with a deadline, so that a registry that sends slowly cannot block the session."""
        ended: list[T | BaseException] = []
        done = threading.Event()

        def run() -> None:
            try:
                ended.append(work())
            except BaseException as error:
                ended.append(error)
            done.set()

        threading.Thread(target=run, daemon=True, name="ftc-oci").start()
        began = time.monotonic()
        end = min(end, began + self._bounds.total, began + self._bounds.start + size / self._bounds.slowest)
        while not done.wait(0.1):
            if self._cancelled():
                raise RefusedError("the session ended")
            if time.monotonic() > end:
                raise ServiceError(f"it did not arrive within {max(0.0, end - began):.0f} s")
        (outcome,) = ended
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def _ask_once(image: ImageName, bounds: Bounds, question: Callable[[_Client], T]) -> T:
    try:
        with closing(_Client(image, bounds)) as client:
            return question(client)
    except (RefusedError, ServiceError, ModuleNotFoundError):
        raise
    except Exception as error:
        # Report only the kind of error: its text may contain a header, or a URL with a signature.
        text, passing = _describe(error)
        raise ServiceError(f"cannot be fetched: {text}", passing=passing) from None


class _Client:
    """A connection to one registry for one reference."""

    def __init__(self, image: ImageName, bounds: Bounds) -> None:
        import_module("oras.logger").setup_logger(quiet=True)
        self._image = image
        self._container = import_module("oras.container").Container(image.target)
        self._registry = import_module("oras.provider").Registry(insecure=image.plain)
        self._registry.session = _make_session(image, bounds)
        self._registry.auth = _make_auth(self._registry)
        self._registry.auth.load_configs(self._container)
        # The undecorated method, because `Service` decides about retries.
        self._request = type(self._registry).do_request.__wrapped__

    def close(self) -> None:
        """Close all connections."""
        self._registry.session.close()

    def manifest(self) -> bytes:
        """Return the manifest, after a check of its digest."""
        url = f"{self._registry.prefix}://{self._container.manifest_url()}"
        with closing(self._get(url, {"Accept": ", ".join(_MANIFESTS)})) as response:
            data = b"".join(_read(response, _LARGEST_MANIFEST))
            stated = response.headers.get("Docker-Content-Digest", "")
        found = f"sha256:{hashlib.sha256(data).hexdigest()}"
        expected = self._image.digest or (stated if stated.startswith("sha256:") else found)
        if found != expected:
            raise RefusedError(f"its manifest has the digest {found}, not {shorten(expected, 80)}")
        return data

    def save(self, layer: Layer, path: Path) -> Path:
        """Write the content of `layer` to `path` and return `path`."""
        url = f"{self._registry.prefix}://{self._container.get_blob_url(layer.digest)}"
        hashed, size = hashlib.sha256(), 0
        with closing(self._get(url, {})) as response, open(path, "wb") as file:
            for data in _read(response, layer.size):
                hashed.update(data)
                size += len(data)
                file.write(data)
        found = f"sha256:{hashed.hexdigest()}"
        if (found, size) != (layer.digest, layer.size):
            raise RefusedError(
                f"the content does not match the manifest: expected {layer.digest} ({layer.size} bytes), "
                f"found {found} ({size} bytes)"
            )
        return path

    def _get(self, url: str, headers: dict[str, str]) -> Any:
        response = self._request(self._registry, url, "GET", headers=headers, stream=True)
        if response.status_code == 404:
            raise RefusedError(f"there is no such {'manifest' if '/manifests/' in url else 'content'} in the registry")
        if response.status_code in (401, 403):
            raise RefusedError(_NO_ACCESS)
        if response.status_code == 429 or response.status_code >= 500:
            raise ServiceError(f"the registry answered with status {response.status_code}", passing=True)
        if response.status_code != 200:
            raise RefusedError(f"the registry answered with status {response.status_code}")
        return response


def _make_session(image: ImageName, bounds: Bounds) -> Any:
    """Return a `requests` session with bounded waits, bounded responses and only permitted URLs."""
    requests: Any = import_module("requests")

    class Careful(requests.adapters.HTTPAdapter):  # type: ignore[misc]
        def send(self, request: Any, stream: bool = False, **others: Any) -> Any:
            url = urlsplit(request.url)
            if url.scheme != "https" and not (image.plain and url.netloc == image.registry):
                raise RefusedError(f"it refers to {shorten(url.netloc, 80)} over plain HTTP")
            others["timeout"] = (bounds.connect, bounds.read)
            if image.local:
                others["proxies"] = {}
            response = super().send(request, stream=True, **others)
            if not stream or response.status_code != 200:
                # requests would read such a body without a limit, or leave the connection open.
                with closing(response):
                    response._content = b"".join(_read(response, _LARGEST_MANIFEST))
            return response

    session = requests.Session()
    session.max_redirects = 5
    session.mount("https://", Careful())
    session.mount("http://", Careful())
    return session


def _make_auth(registry: Any) -> Any:
    """Return an authenticator that answers challenges of a registry with a token or with basic credentials."""

    class Auth(import_module("oras.auth").TokenAuth):  # type: ignore[misc]
        def authenticate_request(self, original: Any, headers: Any, refresh: bool = False) -> Any:
            basic = getattr(self, "_basic_auth", "")
            if original.headers.get("WWW-Authenticate", "").lower().startswith("basic"):
                if not basic or original.request.headers.get("Authorization"):
                    raise RefusedError(_NO_ACCESS)
                return {**(headers or {}), "Authorization": f"Basic {basic}"}, True
            headers, changed = super().authenticate_request(original, headers, refresh)
            if not changed:
                raise RefusedError(_NO_ACCESS)
            return headers, changed

    auth = Auth()
    auth.session, auth.prefix, auth._tls_verify = registry.session, registry.prefix, True
    return auth


def _read(response: Any, most: int) -> Iterator[bytes]:
    """Yield the body, which may have at most `most` bytes."""
    size = 0
    for data in response.iter_content(_CHUNK):
        size += len(data)
        if size > most:
            raise RefusedError(f"the registry sends more than {most} bytes")
        yield data


def _describe(error: Exception) -> tuple[str, bool]:
    """Return a description of an error of requests, and whether it is transient; only its class is used, see above."""
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
