"""The entry point of the ``ftc`` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from importlib import import_module

from pytest_ftc.cli.parser import make_parser, module_of
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.service_commands import defuse

_TRACED = ("attest", "publish")
"""Commands that sign and publish what a session has verified: parts of the same pipeline."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments` and return the exit status: 0, 1 for differences and similar, 2 for errors."""
    given = sys.argv[1:] if arguments is None else arguments
    # The other arguments are pytest's; argparse would reject its options.
    passes_on = given[:1] in (["gate"], ["verify"]) and given[1:] not in (["-h"], ["--help"])
    options = make_parser(given[0] if given else "").parse_args(given[:1] if passes_on else given)
    options.given = given[1:]
    try:
        status: int = _run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("ftc: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has closed the pipe, as `head` does.  Python must not write the rest when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except FtcError as error:
        print(defuse(f"ftc: {printable(str(error))}"), file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    run: Callable[[argparse.Namespace], int] = import_module(module_of(options.command)).run
    if options.command not in _TRACED:
        return run(options)
    from pytest_ftc.verification.traces.command import traced

    return traced(options.command, lambda: run(options), lambda problem: print(f"ftc: {problem}", file=sys.stderr))
