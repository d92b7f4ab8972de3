"""Printing the results of a command as text or JSON."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import TypedDict


class PageStyle(TypedDict):
    width: int
    colour: bool


def print_rows(options: argparse.Namespace, value: object, rows: list[tuple[str, str]]) -> None:
    """Print `value` as JSON or as `rows` of text."""
    if options.json:
        print_json(value)
        return
    from pytest_ftc.reporting.terminal.store import render_rows

    write_text(render_rows(rows, **page_style()))


def print_json(value: object) -> None:
    """Print `value`, of dataclasses or JSON values, as JSON."""
    import json

    from pytest_ftc.model.support.serialization import to_json
    from pytest_ftc.model.support.service_commands import defuse_json

    print(defuse_json(json.dumps(to_json(value), indent=1)))


def say(text: str) -> None:
    """Print lines of text that may name files and the like."""
    from pytest_ftc.model.support.printable import printable

    write_text(printable(text) + "\n")


def page_style() -> PageStyle:
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, 120) if terminal else 100
    return {"width": width, "colour": terminal and not os.environ.get("NO_COLOR")}


def write_text(text: str) -> None:
    from pytest_ftc.reporting.terminal.style import fit_encoding

    print(fit_encoding(text, sys.stdout.encoding), end="")
