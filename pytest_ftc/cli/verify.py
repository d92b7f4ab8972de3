"""``ftc verify``: the artifacts alone, whatever else the project has pytest do."""

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
Verify the artifacts of the project in the current folder, or only those named, without the project's tests, its
conftest.py, addopts and pytest plugins: this also works where pytest itself cannot start.  Options are those of
pytest --ftc-verify, such as --ftc-report=DIR, -x or -v.  What plugins and conftest.py add is not there.  Exit status:
pytest's."""
_FOR_THE_PROJECT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def verify_command(root: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command that verifies the artifacts of the project at `root`, or those that `arguments` begin with.

    All other arguments are pytest's.  Raises ConfigurationError where there is nothing to verify.
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
    """Return the options by which pytest takes nothing from the project at `root` but its configuration of ours."""
    # An empty ini-file takes the place of the project's, with its addopts, required_plugins and filterwarnings.
    return ["-c", os.devnull, f"--rootdir={root}", "--noconftest", "-p", "pytest_ftc.plugin"]


def neutral_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what has pytest load plugins or take options."""
    kept = {name: value for name, value in environ.items() if name not in _FOR_THE_PROJECT}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc verify``."""
    parser.usage, parser.description = "ftc verify [ARTIFACT ...] [PYTEST OPTIONS]", _DESCRIPTION


def run(options: argparse.Namespace) -> int:
    """Become the pytest that verifies the artifacts of the project in the current folder."""
    command = verify_command(Path.cwd(), options.given)
    sys.stdout.flush()
    os.execve(command[0], command, neutral_environment(os.environ))
    raise AssertionError("execve does not return")
