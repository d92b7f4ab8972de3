"""Published files in an OCI registry, as uploaded by ``oras push``; requires the extra ``oci``.

Registries are not trusted: all contents are checked against their digests and sizes, file names must not contain
paths, and sizes, waits and redirects are bounded.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from pytest_ftc.integrations.registry.client import Client, ask_once, load_libraries, wait_for
from pytest_ftc.integrations.registry.manifest import Layer, RefusedError, read_manifest
from pytest_ftc.integrations.registry.session import Bounds
from pytest_ftc.integrations.retry import Service, ServiceError
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.oci_reference import parse_image

T = TypeVar("T")


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
                        name, partial(Client.save, layer=layer, path=folder / str(number)), size=layer.size, end=end
                    )
                    for number, (title, layer) in enumerate(layers.items())
                }
            return self._files[name]

    @property
    def is_paused(self) -> bool:
        """Whether a registry is not asked now because it failed too often."""
        return any(registry.is_paused for registry in self._registries.values())

    def _list(self, name: str) -> Mapping[str, Layer]:
        if name not in self._layers:
            self._layers[name] = self._ask(name, lambda client: read_manifest(client.manifest(), self._bounds.size))
        return self._layers[name]

    def _ask(self, name: str, question: Callable[[Client], T], *, size: int = 0, end: float = math.inf) -> T:
        """Return the answer to `question`, which has `size` bytes and must arrive before `end` (monotonic seconds)."""
        image = parse_image(name)
        assert image is not None, "configuration has checked it"
        registry = self._registries.setdefault(image.registry, Service(self._bounds.persistence, self._cancelled))
        try:
            load_libraries()
            return registry.call(lambda: self._ask_once(partial(ask_once, image, self._bounds, question), size, end))
        except (RefusedError, ServiceError) as error:
            raise SourceError(f"reference: {name}: {error}") from None
        except ModuleNotFoundError:
            raise SourceError(
                f"reference: {name}: OCI references need oras, which is not installed",
                advice="pip install 'pytest-ftc[oci]'",
            ) from None

    def _ask_once(self, work: Callable[[], T], size: int, end: float) -> T:
        bounds = self._bounds
        left = end - time.monotonic()
        return wait_for(work, min(left, bounds.total, bounds.start + size / bounds.slowest), self._cancelled)
