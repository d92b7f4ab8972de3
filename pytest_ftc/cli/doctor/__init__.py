"""``ftc doctor``: measures which variations work on this machine, or on a farm, and what they cost."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ftc.config.contributions import Contributions
    from pytest_ftc.model import CheckUp

_EXECUTOR = "where: on this machine, or on a worker of the farm in [tool.ftc.remote]; default: local"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc doctor``."""
    parser.add_argument("--executor", choices=("local", "reapi"), default="local", help=_EXECUTOR)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Print for each variation whether programs see it, how it is applied, and its cost."""
    from pytest_ftc.cli.output import page_style, print_json, write_text
    from pytest_ftc.reporting.terminal.doctor import render_check_up

    with ExitStack() as stack:
        check_up = _examine(options.executor, _ask_plugins(stack))
    if options.json:
        print_json(check_up)
    else:
        write_text(render_check_up(check_up, **page_style()))
    return 0


def _examine(executor: str, added: Contributions) -> CheckUp:
    if executor == "reapi":
        from pytest_ftc.cli.doctor.farm import examine_farm

        return examine_farm(Path.cwd(), added)
    from pytest_ftc.cli.doctor.examining import examine

    return examine(added.variations)


def _ask_plugins(stack: ExitStack) -> Contributions:
    """Return what the plugins of the project contribute; nothing, with a line on stderr, if that is not possible."""
    from pytest_ftc.config.contributions import NOTHING
    from pytest_ftc.model.errors import ConfigurationError
    from pytest_ftc.model.support.printable import shorten
    from pytest_ftc.plugin.headless import ask_plugins

    try:
        asked = stack.enter_context(ask_plugins(Path.cwd()))
        problem, added = asked.problem, asked.added
    except ConfigurationError as error:
        problem, added = str(error), NOTHING
    if problem:
        print(f"ftc: variations of plugins are not included: {shorten(problem)}", file=sys.stderr)
    return added
