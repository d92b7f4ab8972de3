"""``ftc attest flush``: signs the attestations that wait in the store for a signer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftc.cli.metrics.recording import record
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.integrations.attesting import describe_waiting, open_queue

if TYPE_CHECKING:
    from pytest_ftc.integrations.metrics.measured import Measured
    from pytest_ftc.integrations.signing_queue import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc attest flush``."""
    parser.add_argument("--store", type=Path, metavar="DIR", help="the store in which they wait")
    parser.add_argument(
        "--forget",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="let the attestation for FILE wait no more, unsigned, and ask no signer; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest flush``.  Every signer is asked, also one that failed a moment ago."""
    queue = open_queue(options.store)
    for target in options.forget:
        queue.forget(target.absolute())
        say(f"forgotten: {target}")
    if options.forget:
        return 0
    progress = queue.sign()
    record(lambda measured: _fill(measured, progress))
    if options.json:
        print_json(progress)
    else:
        for path in progress.signed:
            say(f"signed: {path}")
        for path in progress.waiting:
            say(f"waits: {path}")
        if progress.waiting:
            say(describe_waiting(progress))
        elif progress.altered:
            say("\n".join(progress.altered))
        elif not progress.signed:
            say("nothing waits for a signer")
    return 1 if progress.waiting or progress.altered else 0


def _fill(measured: Measured, progress: Progress) -> None:
    from pytest_ftc.integrations.metrics import table

    measured.count(table.SIGNINGS, "signed", by=len(progress.signed))
    measured.count(table.SIGNINGS, "failed", by=len(progress.waiting))
