"""How pytest is started independent of a project's settings for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_FOR_THE_PROJECT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def neutral_options(root: Path) -> list[str]:
    """Return options with which pytest uses only our configuration of the project at `root`."""
    # An empty configuration file replaces the project's addopts, required_plugins and filterwarnings.
    return ["-c", os.devnull, f"--rootdir={root}", "--noconftest", "-p", "pytest_ftc.plugin"]


def neutral_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without variables that make pytest load plugins or add options."""
    kept = {name: value for name, value in environ.items() if name not in _FOR_THE_PROJECT}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
