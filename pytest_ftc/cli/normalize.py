"""``ftc normalize``: rewrites archives deterministically."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pytest_ftc.cli.quantities import size
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.service_commands import defuse

_DESCRIPTION = """\
Rewrite archives in place, deterministically: member order, timestamps, owners, modes and headers are fixed, contents
stay.  Formats: tar (also compressed with gzip, xz, bzip2 or zstd), zip and formats based on it (wheel, jar, EPUB,
zipapp), gzip, xz, bzip2, zstd, ar (static libraries, .deb) and pyc.  A file that cannot be rewritten safely is left
unchanged.  Exit status: 0 on success, 1 if a file was rejected or, with --check, would change."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc normalize``."""
    parser.description = _DESCRIPTION
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", type=Path, help="a file; its format is detected from its content")
    add(
        "--epoch",
        metavar="N|git|unset",
        help="the timestamp to store: N seconds since 1970, git for the last commit of the repository around FILE, "
        "unset for 1980-01-02; default: SOURCE_DATE_EPOCH if it is set, else git in a repository, else unset",
    )
    add("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    add("--output", metavar="DIR", type=Path, help="write the results to DIR and leave the files unchanged")
    add(
        "--max-size",
        metavar="SIZE",
        type=size,
        default="4G",
        help="reject a file whose decompressed size is larger: bytes, or a number with K, M or G (default: 4G)",
    )


def run(options: argparse.Namespace) -> int:
    """Normalize the files one by one and print the result for each; a rejected file does not stop the others."""
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
            print(defuse(f"ftc: {shown}: {shorten(str(error))}; not normalized"), file=sys.stderr)
            status = 1
            continue
        state = ("would change" if options.check else "normalized") if changed else "already normal"
        print(defuse(f"{shown}: {state}"))
        status |= changed and options.check
    return status
