"""What a worker of the farm in ``[tool.ftc.remote]`` can vary, and what its server offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.cli.doctor.examining import NotingExecutor, check, usable
from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.config.remote import RemoteSettings
from pytest_ftc.model import Action, BuildResult, BuildStatus, CheckUp, FarmState, Machine, Replica
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.protocols import MayStart, RemoteExecutor, at_once
from pytest_ftc.variations import CATALOGUE, OtherMachine
from pytest_ftc.verification.cache.shared_store import read_address
from pytest_ftc.verification.farm import open_farm
from pytest_ftc.verification.self_test.replicas import examine

_QUEUE = 60.0
"""Seconds to wait for a worker, at most: somebody sits in front of this command."""
_OPTION = "--executor=reapi"
_ADVICE = "Check endpoint, instance and tls in [tool.ftc.remote]; grpcs:// is with TLS, grpc:// without."


def examine_farm(root: Path, added: Contributions) -> CheckUp:
    """Examine a worker of the farm of the project at `root`, including the variations `added` by plugins.

    Raises ConfigurationError, also if the farm, or a worker of it, cannot be used.
    """
    config = load_project(root, {"executor": "reapi"}, added, needs_artifacts=False)
    remote = config.remote
    if remote is None:
        raise ConfigurationError(
            f"{_OPTION}: expected a farm in [tool.ftc.remote], found no such table in {config.file or root}",
            advice="Add endpoint = 'grpc://HOST:PORT' to [tool.ftc.remote].",
        )
    remote = replace(remote, queue=min(remote.queue, _QUEUE))
    try:
        state = _ask_server(remote, config)
        with Workspace() as workspace:
            # Without artifacts, since how long the builds of an examination take says nothing of a project's.
            return _examine_worker(replace(config, remote=remote, artifacts=()), added, state, workspace)
    except FtcError as error:
        advice = error.advice or (_ADVICE if getattr(error, "status", "") else None)
        raise ConfigurationError(f"{_OPTION}: {error.message}", advice=advice) from None


def _ask_server(remote: RemoteSettings, config: Config) -> FarmState:
    # Not before there is a farm: the package needs an extra.
    from pytest_ftc.integrations.reapi.check_up import examine_farm as ask

    found = ask(read_address(remote, config, lambda: False), remote.properties)
    return replace(found, replicas={replica.value: dict(asked) for replica, asked in remote.replicas.items()})


def _examine_worker(config: Config, added: Contributions, state: FarmState, workspace: Workspace) -> CheckUp:
    farm = open_farm(config, workspace.folder("builds"), workspace.folder("logs"), lambda: False)
    assert farm is not None, "it is configured"
    executor = _FarmExecutor(farm)
    try:
        machine, own = examine(workspace, added.variations, executor, None)
        replicas = [OtherMachine(config.remote.replicas)] if config.remote and config.remote.replicas else []
        catalogue = [*CATALOGUE, *usable(added.variations, own), *replicas]
        # What a variation costs alone is less than what calls to a farm differ by.
        found = check(machine, catalogue, executor, workspace.folder("check-up"), each=False)
    finally:
        farm.close()
    return replace(found, farm=replace(state, workers=tuple(sorted(executor.workers))))


class _FarmExecutor(NotingExecutor):
    """An executor on a farm for which a lost build is the end."""

    def __init__(self, farm: RemoteExecutor) -> None:
        super().__init__(farm)
        self._farm = farm

    @property
    def replicas(self) -> Sequence[Replica]:
        """See `pytest_ftc.model.protocols.RemoteExecutor`."""
        return self._farm.replicas

    def survey(self, replica: Replica | None = None) -> Machine:
        """See `pytest_ftc.model.protocols.RemoteExecutor`."""
        return self._farm.survey(replica)

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`.  Raises FtcError if the build was lost."""
        result = super().run(action, started, may_start)
        if result.status is BuildStatus.LOST:
            raise FtcError(f"a build of the self-test was lost: {result.reason}")
        return result

    def close(self) -> None:
        """See `pytest_ftc.model.protocols.RemoteExecutor`."""
        self._farm.close()
