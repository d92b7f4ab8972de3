"""``ftc warm``: fetches what the next run needs from the store that sessions share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ftc.cli.output import print_rows
from pytest_ftc.cli.quantities import count, duration, rate, size

_DESCRIPTION = """\
Fetch the verdicts that the next run of the artifacts of the project in the current folder will ask for, from the
store of [tool.ftc.remote] to the local one, as far as they are there and it has room.  Nothing is built.
Exit status: 0, or 1 if the store failed for some artifacts, or 2 on an error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc warm``."""
    parser.description = _DESCRIPTION
    parser.add_argument("artifacts", metavar="ARTIFACT", nargs="*", help="names of artifacts; default: all")
    parser.add_argument("--commit", metavar="REF", help="for the sources of this commit instead of the current ones")
    parser.add_argument("--outputs", action="store_true", help="also fetch the contents of outputs")
    parser.add_argument("--plan", action="store_true", help="only say what would be fetched")
    parser.add_argument("--rate", metavar="RATE", type=rate, default=0.0, help="at most, such as 20MB/s")
    parser.add_argument("--concurrency", metavar="N", type=count, default=8, help="artifacts at a time; default: 8")
    parser.add_argument(
        "--jitter",
        metavar="TIME",
        type=duration,
        default=0.0,
        help="wait a random time up to this, such as 30s, so that many machines do not start at once",
    )
    parser.add_argument(
        "--max-size", metavar="SIZE", type=size, default="10G", help="what the local store may hold; default: 10G"
    )
    parser.add_argument(
        "--store", metavar="DIR", type=Path, help="the local store (default: that of the project's configuration)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Fetch what the artifacts of the project in the current folder need."""
    from pytest_ftc.cli.warm.project import warm_project
    from pytest_ftc.cli.warm.show import describe_warmed

    warmed = warm_project(Path.cwd(), options)
    print_rows(options, warmed.as_json(), describe_warmed(warmed))
    return int(warmed.failed)
