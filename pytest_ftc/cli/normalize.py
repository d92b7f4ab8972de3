"""``ftc normalize``: rewrites archives deterministically."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.printable import shorten


def run(options: argparse.Namespace) -> int:
    """Normalize the files one by one and say what became of each; a refused one does not stop the others."""
    from pytest_ftc.normalize.epoch import choose_epoch
    from pytest_ftc.normalize.replace import normalize_file
    from pytest_ftc.normalize.rules import Rules

    files: list[Path] = options.files
    if options.output and len({file.name for file in files}) < len(files):
        raise FtcError("two of the files have the same name, so --output cannot hold both")
    status = 0
    for file in files:
        shown = shorten(str(file))
        try:
            rules = Rules(epoch=choose_epoch(options.epoch, file, os.environ), max_size=options.max_size)
            changed = normalize_file(file, rules, write=not options.check, output=options.output)
        except FtcError as error:
            print(f"ftc: {shown}: {shorten(str(error))}; not normalized", file=sys.stderr)
            status = 1
            continue
        print(f"{shown}: {('would change' if options.check else 'normalized') if changed else 'already normal'}")
        status |= changed and options.check
    return status
