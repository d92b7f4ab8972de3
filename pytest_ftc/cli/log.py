"""``ftc log``: verifies the log of verdicts, and proves what is in it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from pytest_ftc.attestation.merkle import EMPTY_ROOT, is_consistent
from pytest_ftc.attestation.verdict_log import Head, LogError, VerdictLog
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.cli.parser import add_action
from pytest_ftc.cli.store import add_store_arguments
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.user_folders import store_folder

_ACTIONS = {
    "verify": "read every verdict and compare with the head; exit status 1 if one was lost or changed",
    "prove": "print a proof that the newest verdict on an artifact is in the log",
    "consistency": "prove that the log begins with what it once was; exit status 1 if it does not",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc log``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, brief in _ACTIONS.items():
        own = add_action(actions, action, brief)
        add_store_arguments(own)
        if action == "prove":
            own.add_argument("artifact", metavar="ARTIFACT", help="the name, or the whole id")
        if action == "consistency":
            own.add_argument("head", metavar="SIZE:ROOT", help="an earlier head, as `ftc log verify` prints it")


def open_log(folder: Path | None) -> VerdictLog:
    """Return the log of the store in `folder`, or of that of this user."""
    return VerdictLog((folder or store_folder()) / "log")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc log``."""
    actions: dict[str, Callable[[VerdictLog, argparse.Namespace], None]] = {
        "verify": _verify,
        "prove": _prove,
        "consistency": _show_consistency,
    }
    try:
        actions[options.action](open_log(options.store), options)
    except LogError as error:
        say(f"✘ {error}")
        return 1
    return 0


def _verify(log: VerdictLog, options: argparse.Namespace) -> None:
    head = log.verify().head
    if options.json:
        print_json({"size": head.size, "root": head.root.hex()})
    else:
        say(f"✔ {head.size} verdict{'' if head.size == 1 else 's'}\n  head  {_show(head)}")


def _prove(log: VerdictLog, options: argparse.Namespace) -> None:
    contents, wanted = log.verify(), options.artifact
    index = contents.find(lambda entry: f"::{entry.get('artifact')}".endswith(f"::{wanted}"))
    if index is None:
        raise ConfigurationError(f"the log has no verdict on {wanted!r}")
    print_json(contents.prove(index).to_json())


def _show_consistency(log: VerdictLog, options: argparse.Namespace) -> None:
    match = re.fullmatch("([0-9]{1,12}):([0-9a-f]{64})", options.head)
    if match is None:
        raise ConfigurationError(f"expected SIZE:ROOT as `ftc log verify` prints it, found {options.head!r}")
    size, root = int(match[1]), bytes.fromhex(match[2])
    contents = log.verify()
    # Every log begins with what an empty one had.
    is_of_empty = size == 0 and root == EMPTY_ROOT
    proof, head = [] if is_of_empty else contents.prove_consistency(size), contents.head
    if not is_of_empty and not is_consistent(size, root, head.size, head.root, proof):
        raise LogError(f"the log does not begin with the {size} verdicts of that head: it was rewritten")
    if options.json:
        print_json({"size": head.size, "root": head.root.hex(), "hashes": [one.hex() for one in proof]})
    else:
        say(f"✔ the first {size} of {head.size} verdicts are what they were\n  head  {_show(head)}")


def _show(head: Head) -> str:
    return f"{head.size}:{head.root.hex()}"
