"""``ftc kit``: writes the operations kit, and rehearses its alerts."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlsplit

_DESCRIPTION = """\
Write the operations kit to the folder DIR: dashboards for Grafana, rules for Prometheus, routes for Alertmanager, a
runbook for each alert, and checklists.  A file that you have changed is kept.

With --game-day, rehearse the alerts instead: faults are injected into small projects, and each alert has to fire for
its fault, and to end when that is repaired.  Needs Pushgateway, Prometheus and Alertmanager on this machine, and takes
a few minutes.  DIR, if given, must be empty, and keeps what was seen.
Exit status: 0, or 1 if a file was kept or an alert failed, or 2 on an error."""
_RUNBOOKS = "https://example.org/runbooks.md"
_WEBHOOK = "http://localhost:9099/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc kit``."""
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", help="where to write it")
    parser.add_argument(
        "--url-of-runbooks",
        metavar="URL",
        type=_url,
        default=_RUNBOOKS,
        help=f"where runbooks.md can be read by those on call; default: {_RUNBOOKS}",
    )
    parser.add_argument(
        "--webhook",
        metavar="URL",
        type=_url,
        default=_WEBHOOK,
        help=f"where Alertmanager sends its messages; default: {_WEBHOOK}",
    )
    parser.add_argument("--project", metavar="NAME", default="", help="the project that dashboards show at first")
    parser.add_argument("--force", action="store_true", help="also replace files that you have changed")
    parser.add_argument("--game-day", action="store_true", help="inject faults, and see whether the right alerts fire")
    parser.add_argument(
        "--alertmanager",
        metavar="URL",
        type=_url,
        help="for --game-day: an Alertmanager that runs already, whose own routes then tell people",
    )
    parser.add_argument(
        "--fault",
        metavar="FAULT",
        action="append",
        default=[],
        help="for --game-day: only this fault, such as F1 or stuck; can be given several times",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Write the kit, and say what became of each file; or rehearse its alerts."""
    if options.game_day:
        from pytest_ftc.cli.kit.game_day import rehearse

        return rehearse(options)
    return _write(options)


def _write(options: argparse.Namespace) -> int:
    from pytest_ftc.cli.output import print_rows
    from pytest_ftc.integrations.kit.files import KitAnswers, make_files
    from pytest_ftc.integrations.kit.writing import Fate, write_kit
    from pytest_ftc.model.errors import FtcError

    if options.folder is None:
        raise FtcError("nothing says where to write the kit; expected a folder, as in: ftc kit operations")
    if options.alertmanager or options.fault:
        raise FtcError("--alertmanager and --fault are for --game-day, which is not given")
    answers = KitAnswers(runbooks=options.url_of_runbooks, webhook=options.webhook, project=options.project)
    fates = write_kit(options.folder, make_files(answers), force=options.force)
    rows = [("folder", str(options.folder)), *((fate.value, name) for name, fate in fates.items())]
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
