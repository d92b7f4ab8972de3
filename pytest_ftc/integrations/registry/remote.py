"""A repository of an OCI registry, asked many questions in a row: with retries, deadlines and clear errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from pytest_ftc.integrations.registry.client import Client, load_libraries, translated_errors, wait_for
from pytest_ftc.integrations.registry.manifest import AlteredError, RefusedError
from pytest_ftc.integrations.registry.session import Bounds
from pytest_ftc.integrations.retry import Persistence, Service, ServiceError
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.oci_reference import ImageName, parse_image

T = TypeVar("T")

NO_EXTRA = "registries need the extra 'oci': pip install 'pytest-ftc[oci]'"
PATIENT = Bounds(persistence=Persistence(attempts=7, failures=7, rest=1.0), read=60, total=6 * 3600)
"""A registry may be restarted during an upload: it has about twenty seconds to come back."""


class RegistryError(FtcError):
    """A registry is down, refuses, or answers what it must not."""


class UntrueError(RegistryError):
    """A registry gave out a content that is not what its digest says."""


class Remote:
    """A repository.  The connections are kept from one question to the next."""

    def __init__(self, image: ImageName, bounds: Bounds) -> None:
        self.image = image
        self.bounds = bounds
        self._service = Service(bounds.persistence, lambda: False)
        self._client: Client | None = None

    def ask(self, question: Callable[[Client], T], *, size: int = 0) -> T:
        """Return the answer to `question`, for which `size` bytes are transferred.

        It is asked again if an error is transient.  Raises RegistryError, UntrueError, ConfigurationError without
        the extra.
        """
        seconds = min(self.bounds.total, self.bounds.start + size / self.bounds.slowest)
        try:
            load_libraries()
            return self._service.call(lambda: wait_for(lambda: self._ask_once(question), seconds, lambda: False))
        except AlteredError as error:
            raise UntrueError(f"{self.image.target}: {error}") from None
        except (RefusedError, ServiceError) as error:
            raise RegistryError(f"{self.image.target}: {error}") from None
        except ModuleNotFoundError:
            raise ConfigurationError(NO_EXTRA) from None

    def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client:
            client.close()

    def _ask_once(self, question: Callable[[Client], T]) -> T:
        with translated_errors():
            client = self._client = self._client or Client(self.image, self.bounds)
            try:
                return question(client)
            except RefusedError:
                raise
            except BaseException:
                # Its connections are in an unknown state.
                self.close()
                raise


@contextlib.contextmanager
def opened(image: ImageName, bounds: Bounds | None = None) -> Iterator[Remote]:
    """Yield the repository of `image`, within `bounds` or those of `PATIENT`; its connections are closed at the end."""
    remote = Remote(image, bounds or PATIENT)
    try:
        yield remote
    finally:
        remote.close()


def parse_reference(text: str) -> ImageName:
    """Return the reference `text`, with or without ``oci:``.  Raises ConfigurationError."""
    image = parse_image(text if text.startswith(("oci:", "oci+http:")) else f"oci:{text}")
    if image is None:
        raise ConfigurationError(
            f"expected a reference such as registry.example.org/team/app:1.0, with a tag or a digest, found {text!r}"
        )
    return image


def parse_repository(text: str) -> ImageName:
    """Return the repository `text`, which has neither tag nor digest, with an empty tag.  Raises ConfigurationError."""
    image = parse_image((text if text.startswith(("oci:", "oci+http:")) else f"oci:{text}") + ":x")
    if image is None:
        raise ConfigurationError(f"expected a repository such as registry.example.org/team/app, found {text!r}")
    return replace(image, tag="x")
