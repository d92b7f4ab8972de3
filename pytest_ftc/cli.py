"""The ``ftc`` command: thin, and quick to start."""

from __future__ import annotations

import argparse
import sys

from pytest_ftc import __version__
from pytest_ftc.errors import FtcError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments`; return the exit status."""
    parser = argparse.ArgumentParser(prog="ftc", description="Is my build reproducible, and if not, why?")
    parser.add_argument("--version", action="version", version=f"pytest-ftc {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_parser("doctor", help="say what this machine can vary, and what would allow the rest")
    parser.parse_args(arguments)
    try:
        return doctor()
    except FtcError as error:
        print(f"ftc: {error}", file=sys.stderr)
        return 1


def doctor() -> int:
    """Print each variation, and whether a program in a varied environment sees it here."""
    from pytest_ftc.executors import Workspace
    from pytest_ftc.variations import CATALOGUE
    from pytest_ftc.workshop import examine_machine

    with Workspace() as workspace:
        machine = examine_machine(workspace)
    width = max(len(variation.name) for variation in CATALOGUE)
    for variation in CATALOGUE:
        reason = variation.unavailable(machine) or machine.unseen.get(variation.name)
        print(f"{variation.name:<{width}}  {'in force' if reason is None else f'not varied: {reason}'}")
    print(f"\nisolation: {machine.isolation.value}{f' ({machine.isolation_reason})' * bool(machine.isolation_reason)}")
    print(f"work folder on: {machine.work_filesystem}, overlayfs: {'yes' if machine.overlay else 'no'}")
    print(f"clock: {machine.faketime or machine.faketime_reason}")
    return 0
