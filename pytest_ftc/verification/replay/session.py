"""Setup and teardown of one replay."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.load import Config
from pytest_ftc.model import BuildResult, Isolation, Machine
from pytest_ftc.model.errors import ExecutionError
from pytest_ftc.model.protocols import Executor, RemoteExecutor
from pytest_ftc.verification.confidential.concealed import list_concealed
from pytest_ftc.verification.confidential.named import open_named
from pytest_ftc.verification.farm import on_farm, open_farm, surveying
from pytest_ftc.verification.replay.replay import Stage
from pytest_ftc.verification.site import BuildSite, make_site
from pytest_ftc.verification.user_folders import find_key, user_cache


class ReplaySession:
    """The parts of a session that replays one build; open until `close`, which may be called again.

    It runs where the executor of `config` is.
    """

    def __init__(self, config: Config, then: BuildResult, logs: Path) -> None:
        self._config = config
        self._logs = logs
        self._plain = then.recipe is not None and then.recipe.isolation is Isolation.NONE
        self._cancelled = threading.Event()
        root = Path(then.recipe.root) if then.recipe and then.recipe.root else None
        # Where there were no namespaces, the path of a build was that of its session's folder.
        self._workspace = Workspace.again(root.parents[1]) if root else Workspace()
        self._executor: Executor | None = None
        self._farm: RemoteExecutor | None = None
        self._named = open_named(config, self._cancelled.is_set)

    def open(self, *, shell: bool = False) -> Stage:
        """Return everything that a replay needs.  Raises FtcError."""
        self._workspace.make()
        site = self._open_farm() or self._open_here(shell=shell)
        farm = self._farm is not None
        return Stage(root=self._config.root, site=replace(site, named=self._named.read), key=find_key(), farm=farm)

    def _open_farm(self) -> BuildSite | None:
        """Return the site on the farm; None if the build runs on this machine."""
        workspace, config = self._workspace, self._config
        farm = open_farm(config, workspace.folder("builds"), self._logs, self._cancelled.is_set)
        if farm is None:
            return None
        self._executor = self._farm = farm
        with surveying(farm):
            machine = farm.survey()
        return on_farm(self._make_site(machine, farm), workspace)

    def _open_here(self, *, shell: bool) -> BuildSite:
        workspace = self._workspace
        machine = survey_machine(workspace.path)
        if self._plain:
            # A build that ran without namespaces saw the machine itself, and does so again.
            machine = replace(machine, isolation=Isolation.NONE, overlay=False)
        # An interactive shell takes no slot from builds.
        slots = None if shell else user_cache("slots")
        concealed = list_concealed(self._config)
        self._executor = LocalExecutor(machine, workspace.folder("builds"), self._logs, 1, slots, concealed)
        return self._make_site(machine, self._executor)

    def _make_site(self, machine: Machine, executor: Executor) -> BuildSite:
        cancelled = self._cancelled.is_set
        return make_site(self._config, self._workspace, machine, executor, self._logs, cancelled=cancelled)

    def folder_to_keep(self) -> Path:
        """Return an empty folder, which `close` removes unless it was passed to `preserve`."""
        return self._workspace.folder("kept")

    def preserve(self, kept: Path, name: str) -> Path:
        """Move the folder `kept` to a place that only the user cleans, and return its path.  Raises ExecutionError."""
        place = self._workspace.path.with_name(f"ftc-kept-{name}-{secrets.token_hex(4)}")
        try:
            kept.rename(place)
            place.chmod(0o700)
        except OSError as error:
            raise ExecutionError(f"cannot move the trees to {place}: {error.strerror}") from error
        return place

    def close(self) -> None:
        """End everything that is still running, and remove all folders except preserved ones."""
        self._cancelled.set()
        if self._executor:
            self._executor.cancel()
        if self._farm:
            self._farm.close()
        self._named.close()
        self._workspace.close()
