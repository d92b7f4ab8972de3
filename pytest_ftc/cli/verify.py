"""``ftc verify``: verifies only the artifacts, independent of the project's pytest settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.suggestion import did_you_mean

_DESCRIPTION = """\
Verify the artifacts of the project in the current folder, or only those named, without the project's tests,
conftest.py, addopts and pytest plugins.  This also works if pytest itself cannot start.  Options are those of
pytest --ftc-verify, such as --ftc-report=DIR, -x or -v.  Contributions of plugins and conftest.py are not available.
Exit status: pytest's."""
_FOR_THE_PROJECT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def verify_command(root: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command that verifies the project at `root`, or only the artifacts named first in `arguments`.

    The other arguments are passed to pytest.  Raises ConfigurationError if there is nothing to verify.
    """
    config = load_project(root, {})
    assert config.file is not None, "a project that has artifacts has a file"
    known = [artifact.name for artifact in config.artifacts]
    count = next((index for index, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    for name in arguments[:count]:
        if name not in known:
            raise ConfigurationError(
                f"there is no artifact {name!r}{did_you_mean(name, known)}  Artifacts: {', '.join(known)}"
            )
    targets = [f"{config.file}::ftc::{name}" for name in arguments[:count]] or [str(config.file)]
    return [sys.executable, "-m", "pytest", *neutral_options(root), "--ftc-verify", *arguments[count:], *targets]


def neutral_options(root: Path) -> list[str]:
    """Return options with which pytest uses only our configuration of the project at `root`."""
    # An empty configuration file replaces the project's addopts, required_plugins and filterwarnings.
    return ["-c", os.devnull, f"--rootdir={root}", "--noconftest", "-p", "pytest_ftc.plugin"]


def neutral_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without variables that make pytest load plugins or add options."""
    kept = {name: value for name, value in environ.items() if name not in _FOR_THE_PROJECT}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc verify``."""
    parser.usage, parser.description = "ftc verify [ARTIFACT ...] [PYTEST OPTIONS]", _DESCRIPTION


def run(options: argparse.Namespace) -> int:
    """Replace this process by the pytest that verifies the artifacts of the project in the current folder."""
    command = verify_command(Path.cwd(), options.given)
    sys.stdout.flush()
    os.execve(command[0], command, neutral_environment(os.environ))
    raise AssertionError("execve does not return")
