"""``ftc kit``: writes the operations kit."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlsplit

_DESCRIPTION = """\
Write the operations kit to the folder DIR: dashboards for Grafana, an example of a configuration for
Prometheus, and checklists.  A file that you have changed is kept.
Exit status: 0, or 1 if a file was kept, or 2 on an error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc kit``."""
    parser.description = _DESCRIPTION
    parser.add_argument("folder", metavar="DIR", type=Path, help="where to write it")
    parser.add_argument(
        "--url-of-runbooks",
        metavar="URL",
        type=_url,
        default="https://example.org/runbooks.md",
        help="where runbooks.md can be read by those on call; default: https://example.org/runbooks.md",
    )
    parser.add_argument("--project", metavar="NAME", default="", help="the project that dashboards show at first")
    parser.add_argument("--force", action="store_true", help="also replace files that you have changed")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Write the kit, and say what became of each file."""
    from pytest_ftc.cli.output import print_rows
    from pytest_ftc.integrations.kit.files import KitAnswers, make_files
    from pytest_ftc.integrations.kit.writing import Fate, write_kit

    answers = KitAnswers(runbooks=options.url_of_runbooks, project=options.project)
    fates = write_kit(options.folder, make_files(answers), force=options.force)
    rows = [(fate.value, str(options.folder / name)) for name, fate in fates.items()]
    kept = [name for name, fate in fates.items() if fate is Fate.KEPT]
    if kept:
        rows.append(("note", "what was kept has been changed by you; --force replaces it"))
    print_rows(options, {"folder": str(options.folder), "files": fates}, rows)
    return int(bool(kept))


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(character.isspace() or not character.isprintable() for character in text):
        raise argparse.ArgumentTypeError(f"expected a URL such as https://example.org/, found {text!r}")
    return text
