"""Where the builds of a session, or of a replay, run, and by what."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_ftc.builds.inputs.secrets import Given, Secrets, check_visible, no_names, read_secrets
from pytest_ftc.builds.inputs.snapshot import SnapshotCache
from pytest_ftc.builds.requirements.environment_cache import default_cache
from pytest_ftc.builds.requirements.python import Prepared, prepare
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact, Isolation, Machine, Snapshot
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.protocols import Executor
from pytest_ftc.verification.plan import BuildSetting
from pytest_ftc.verification.user_folders import search_path, written_by


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSite(BuildSetting):
    """What it takes to run the build of an artifact."""

    executor: Executor
    capture: Callable[[Path], Snapshot]
    """Returns a copy of a source tree."""
    prepare: Callable[[Artifact, Snapshot], Prepared]
    """Provides the build requirements."""
    logs: Path | None = None
    """Where logs are kept; None to leave them where the executor has put them."""
    named: Callable[[str], Given] = no_names
    """Reads the secrets that artifacts name."""

    def read_secrets(self, declared: Sequence[str], folder: Path) -> Secrets | None:
        """Return the secrets that an artifact with its sources in `folder` has `declared`; None if there are none.

        Raises FtcError, also for a file that its builds would not see.
        """
        if not declared:
            return None
        secrets = read_secrets(declared, self.environ, folder, self.named)
        if self.machine.isolation is not Isolation.NONE:
            check_visible(secrets, declared)
        elif secrets.files:
            path = next(iter(secrets.files))
            raise FtcError(f"secret {path.rpartition('/')[2]}: as a file it needs namespaces, which are not available")
        return secrets


def make_site(
    config: Config,
    workspace: Workspace,
    machine: Machine,
    executor: Executor,
    logs: Path,
    *,
    cancelled: Callable[[], bool],
) -> BuildSite:
    """Return the site in `workspace` where `executor` runs builds; `cancelled` tells installations to stop."""
    return BuildSite(
        machine=machine,
        folder=workspace.folder("plain"),
        path=search_path(),
        environ=dict(os.environ),
        executor=executor,
        capture=SnapshotCache(workspace.folder("sources"), written_by(config)).capture,
        prepare=partial(prepare, cache=default_cache(), cancelled=cancelled),
        logs=logs,
    )
