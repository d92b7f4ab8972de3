"""Opening the farm of ``[tool.ftc.remote]`` for the builds of a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from pytest_ftc.builds.requirements.install import digest_installed
from pytest_ftc.builds.requirements.portable import PortableEnvironments
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.builds.retrying import Patience
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.load import Config
from pytest_ftc.config.remote import RemoteSettings
from pytest_ftc.model import Artifact, Isolation, Machine, Snapshot
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError, FtcError, PreparationError
from pytest_ftc.model.machine import Interpreter, Needs
from pytest_ftc.model.protocols import RemoteExecutor
from pytest_ftc.variations import OtherMachine
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.cache.shared_store import read_address
from pytest_ftc.verification.site import BuildSite
from pytest_ftc.verification.user_folders import store_folder

DIAGNOSIS_PATIENCE = 240.0
"""Seconds in which a diagnosis may run many quick builds: on a farm, most of the time is not theirs."""
_RETRIES_OF_EACH = 2
"""Retries for each artifact of a session on a farm: the more workers, the more of them are lost."""
_FEWEST_OPEN, _MOST_OPEN = 16, 64
"""Verifications."""


def vocabulary_of(config: Config, vocabulary: Vocabulary) -> Vocabulary:
    """Return the `vocabulary` of a session: with ``machine`` in its presets if its farm has two kinds of workers."""
    replicas = config.remote.replicas if config.remote and config.executor == "reapi" else None
    return vocabulary.with_other_machine(OtherMachine(replicas)) if replicas else vocabulary


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
    try:
        integration = import_module("pytest_ftc.integrations.reapi.builds.executor")
    except FtcError as error:
        # The extra is not installed.
        raise ConfigurationError(str(error)) from None
    address = read_address(remote, config, cancelled)
    # Lost workers are for `RetryingExecutor`, as with any other executor.
    policy = integration.Policy(
        max_in_flight=remote.max_in_flight, max_cpu_seconds=remote.max_cpu_seconds, queue=remote.queue, retries=0
    )
    workers = integration.Workers(remote.properties, remote.replicas)
    past = integration.PastTimes(_times_file(config, remote)) if config.artifacts else None
    farm: RemoteExecutor = integration.RemoteExecutor(address, work, logs, workers, policy, past)
    return farm


def _times_file(config: Config, remote: RemoteSettings) -> Path:
    """Return the file of the times that builds of this project took on this farm."""
    facts = [str(config.root), remote.target, remote.instance, *sorted(map(str, remote.properties.items()))]
    name = hashlib.sha256("\0".join(facts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return (config.store or store_folder()) / "farm" / f"{name}.json"


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


def on_farm(site: BuildSite, workspace: Workspace) -> BuildSite:
    """Return the `site` of a session, whose builds run on the workers of a farm."""
    machine = site.machine
    root = site.folder if machine.isolation is Isolation.NONE else None
    remote = RemotePreparation(site.prepare, machine.interpreter, workspace.folder("requirements"), root)
    return replace(site, path=machine.path, prepare=remote.prepare)


class RemotePreparation:
    """Provides build requirements to builds on workers that have the Python `python`.

    Those of a preset are installed on this machine, copied below `folder`, and sent with each build.
    """

    def __init__(
        self,
        prepare: Callable[[Artifact, Snapshot], Prepared],
        python: Interpreter | None,
        folder: Path,
        root: Path | None,
    ) -> None:
        """`prepare` is that of this machine; without namespaces, builds have their folders below `root`."""
        self._prepare = prepare
        self._python = python
        self._portable = PortableEnvironments(folder)
        self._root = root

    def prepare(self, artifact: Artifact, source: Snapshot) -> Prepared:
        """Return the `artifact` as workers build it.  Raises PreparationError or ConfigurationError."""
        prepared = self._prepare(artifact, source)
        if not prepared.path_entries:
            return prepared
        (scripts,) = map(Path, prepared.path_entries)
        at = f"{self._root / slug(artifact.name) if self._root else ''}/ftc-requirements"
        portable = self._portable.provide(scripts.parent, at)
        python = self._check(portable.needs)
        arguments = tuple(prepared.artifact.build)[1:]
        return Prepared(
            artifact=replace(prepared.artifact, build=(f"{at}/bin/python", *arguments), shown={at: portable.folder}),
            path_entries=(f"{at}/bin",),
            inputs_digest=digest_installed(portable.folder, python.name),
        )

    def _check(self, needs: Needs) -> Interpreter:
        """Return the Python of the workers.  Raises PreparationError if it has not what the requirements need."""
        if self._python is None:
            raise PreparationError("the farm's workers do not say which Python they have")
        misfit = needs.find_misfit(self._python)
        if misfit:
            raise PreparationError(
                f"the build requirements do not fit {self._python.path} of the farm's workers: {misfit}",
                advice="Run pytest with a Python such as theirs, choose other workers by the properties in "
                "[tool.ftc.remote], or build with --ftc-executor=local.",
            )
        return self._python


def verifications_at_once(config: Config, machine: Machine, farm: RemoteExecutor | None) -> int:
    """Return the number of concurrent verifications, which mostly wait for the gap between builds or for a free job.

    Meanwhile each has its environments set up: a launcher each and, without overlayfs, a copy of the sources.  On a
    farm, they are there.
    """
    if farm and config.remote:
        return config.remote.max_in_flight
    return min(_FEWEST_OPEN * config.jobs, _MOST_OPEN) if machine.overlay else _FEWEST_OPEN
