"""``ftc completion``: prints what makes a shell complete commands, options and names of artifacts."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

_SHELLS = ("bash", "zsh", "fish")
_NAMES = "artifacts"
_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)
"""Names of artifacts that are offered: the shells expand what else they are given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc completion``."""
    parser.add_argument(
        "what",
        choices=(*_SHELLS, _NAMES),
        help=f"the shell; or '{_NAMES}', which prints the names of artifacts of the project in the current folder",
    )


def run(options: argparse.Namespace) -> int:
    """Print the script for a shell, or the names of artifacts, one a line."""
    if options.what == _NAMES:
        for name in _list_artifacts(Path.cwd()):
            print(name)
        return 0
    from pytest_ftc.cli.completion.commands import list_commands
    from pytest_ftc.cli.completion.scripts import SCRIPTS

    print(SCRIPTS[options.what](list_commands()), end="")
    return 0


def _list_artifacts(root: Path) -> list[str]:
    """Return the names to offer; a project that cannot be read has none, since nobody asked for its errors."""
    from pytest_ftc.config.project import load_project
    from pytest_ftc.model.errors import FtcError

    try:
        names = [artifact.name for artifact in load_project(root, {}, needs_artifacts=False).artifacts]
    except FtcError:
        return []
    return [name for name in names if _PLAIN.fullmatch(name)]
