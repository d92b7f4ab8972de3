"""``ftc explain``: describes a cause of differences, or lists all causes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_ftc.cli.output import page_style, write_text
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.model.support.suggestion import did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc explain``."""
    parser.add_argument("cause", metavar="CAUSE", nargs="?", help="a cause such as build_path; omit to list all")


def run(options: argparse.Namespace) -> int:
    """Print the description of a cause."""
    from pytest_ftc.reporting.causes import all_causes, find_cause
    from pytest_ftc.reporting.terminal.store import render_rows

    if options.cause is None:
        write_text("".join(f"{cause.name:<14}{cause.brief}\n" for cause in all_causes()))
        return 0
    cause = find_cause(options.cause)
    if cause is None and (rows := _describe_added(options.cause)):
        write_text(render_rows(rows, **page_style()))
        return 0
    if cause is None:
        names = [known.name for known in all_causes()]
        hint = did_you_mean(options.cause, names)
        raise FtcError(f"unknown cause {options.cause!r}{hint}  Causes: {', '.join(names)}")
    helps = [("helps" if not number else "", text) for number, text in enumerate(cause.remedies)]
    rows = [("cause", f"{cause.name}: {cause.brief}"), ("why", cause.why), ("shows as", cause.shows), *helps]
    write_text(render_rows([*rows, ("see", cause.source)], **page_style()))
    return 0


def _describe_added(name: str) -> list[tuple[str, str]]:
    """Return the description of the cause `name`, a variation of a plugin; empty if no plugin adds it."""
    import inspect

    from pytest_ftc.plugin.headless import ask_plugins

    try:
        with ask_plugins(Path.cwd()) as asked:
            if asked.problem:
                print(defuse(f"ftc: {shorten(asked.problem)}"), file=sys.stderr)
            found = next((one for one in asked.added.variations if one.name == name), None)
    except FtcError as error:
        print(defuse(f"ftc: {shorten(str(error))}"), file=sys.stderr)
        return []
    if found is None:
        return []
    kind = type(found)
    why = inspect.cleandoc(kind.__doc__ or "not described")
    return [("cause", f"{name}: a variation of the plugin {kind.__module__}"), ("why", why), ("by", found.mechanism)]
