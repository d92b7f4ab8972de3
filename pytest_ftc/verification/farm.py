"""Opening the farm of ``[tool.ftc.remote]`` for the builds of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.builds.retrying import Patience
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.errors import ConfigurationError, FtcError, PreparationError
from pytest_ftc.model.protocols import RemoteExecutor
from pytest_ftc.verification.cache.shared_store import read_address

_RETRIES_OF_EACH = 2
"""Retries for each artifact of a session on a farm: the more workers, the more of them are lost."""


def patience_of(config: Config) -> Patience:
    """Return how often the builds of a session are tried again."""
    patience = Patience(retries=config.retries)
    if config.executor != "reapi":
        return patience
    return replace(patience, budget=max(patience.budget, _RETRIES_OF_EACH * len(config.artifacts)))


def open_farm(config: Config, work: Path, logs: Path, cancelled: Callable[[], bool]) -> RemoteExecutor | None:
    """Return the executor of the session's farm; None if builds run on this machine.  Raises FtcError."""
    if config.executor != "reapi":
        return None
    remote = config.remote
    if remote is None:
        raise ConfigurationError(
            "--ftc-executor=reapi: expected a farm in [tool.ftc.remote], found no such table",
            advice="Add endpoint = 'grpc://HOST:PORT' to [tool.ftc.remote].",
        )
    integration = import_module("pytest_ftc.integrations.reapi.builds.executor")
    address = read_address(remote, config, cancelled)
    # Lost workers are for `RetryingExecutor`, as with any other executor.
    policy = integration.Policy(
        max_in_flight=remote.max_in_flight, max_cpu_seconds=remote.max_cpu_seconds, queue=remote.queue, retries=0
    )
    farm: RemoteExecutor = integration.RemoteExecutor(address, work, logs, remote.properties, policy)
    return farm


@contextmanager
def surveying(farm: RemoteExecutor | None) -> Iterator[None]:
    """Disconnect `farm` if it cannot be surveyed, and raise ConfigurationError: there is no session without it."""
    try:
        yield
    except FtcError as error:
        if farm is None:
            raise
        farm.close()
        raise ConfigurationError(f"--ftc-executor=reapi: {error.message}", advice=error.advice) from None


def prepare_remotely(artifact: Artifact, source: Snapshot) -> Prepared:
    """Return the `artifact` as it is: a farm's workers have what their image has.  Raises PreparationError."""
    if artifact.preset is not None:
        raise PreparationError(
            f"the preset {artifact.preset} installs build requirements on this machine, and a farm's workers lack them",
            advice=f"Declare a build command that workers have in [tool.ftc.artifacts.{artifact.name}].",
        )
    return Prepared(artifact=artifact)
