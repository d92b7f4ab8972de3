"""``ftc attest``: makes, signs and verifies attestations of verdicts.  Each action has its own file."""

from __future__ import annotations

import argparse
from importlib import import_module

from pytest_ftc.cli.parser import add_action

_BRIEFS = {
    "create": "make and sign attestations of the verdicts in a report: provenance, parity, test result",
    "flush": "sign the attestations that wait for a signer; exit status 1 if some still wait",
    "compare": "compare the outputs, inputs and machines of two builders; exit status 1 if outputs differ",
    "verify": "verify files against attestations and a policy, offline; exit status 1 if one is refused",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc attest``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, brief in _BRIEFS.items():
        import_module(f"{__name__}.{name}").add_arguments(add_action(actions, name, brief))


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest``."""
    status: int = import_module(f"{__name__}.{options.action}").run(options)
    return status
