"""``ftc report``: verifies reports, puts those of shards together, and makes badges."""

from __future__ import annotations

import argparse
from importlib import import_module

from pytest_ftc.cli.parser import add_action

_BRIEFS = {
    "verify": "compare a report and the files beside it with their digests; exit status 1 if anything was changed",
    "shards": "tell whether the reports of all jobs of a matrix have every artifact; exit status 1 if one is missing",
    "badge": "write a badge that says how many artifacts are reproducible: an image, and JSON for badge services",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc report``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, brief in _BRIEFS.items():
        import_module(f"{__name__}.{name}").add_arguments(add_action(actions, name, brief))


def run(options: argparse.Namespace) -> int:
    """Run ``ftc report``."""
    status: int = import_module(f"{__name__}.{options.action}").run(options)
    return status
