"""Running git, so that neither its hooks' variables nor a repository's settings redirect it or run other programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_ftc.model.support.credentials import without_credentials

_SETTINGS = ("core.fsmonitor=false", "core.quotePath=false", "log.showSignature=false")


def run_git(
    folder: Path, *arguments: str, given: bytes = b"", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in `folder` with `given` as its standard input.  Raises OSError when it cannot be run."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return subprocess.run(
        ["git", *settings, *arguments],
        cwd=folder,
        env=_environment(os.environ if environ is None else environ),
        capture_output=True,
        input=given,
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without variables that select a repository: git sets GIT_DIR and others for its hooks."""
    kept = {name: value for name, value in without_credentials(environ).items() if not name.startswith("GIT_")}
    return {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
