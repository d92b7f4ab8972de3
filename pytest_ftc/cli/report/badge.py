"""``ftc report badge``: writes a badge for a report."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pytest_ftc.cli.output import say
from pytest_ftc.cli.report.read import read_report
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.verification import Verdict
from pytest_ftc.reporting.badge import make_badge

_IMAGE, _ENDPOINT = "badge.svg", "badge.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc report badge``."""
    parser.add_argument("report", type=Path, metavar="REPORT", help="the folder of --ftc-report, or a report.json")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="DIR", help=f"the folder for {_IMAGE} and {_ENDPOINT}"
    )


def run(options: argparse.Namespace) -> int:
    """Write the image and what badge services fetch, and say what they show; the exit status is 0 for every badge."""
    path, document = read_report(options.report)
    try:
        verdicts = [Verdict(artifact["verdict"]) for artifact in document["artifacts"]]
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: this report cannot be read: {error!r}") from None
    badge = make_badge(verdicts)
    texts = {_IMAGE: badge.to_svg(), _ENDPOINT: json.dumps(badge.to_endpoint()) + "\n"}
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace_file(options.output / name, text.encode(), mode=0o644)
    except OSError as error:
        raise FtcError(f"{error.filename or options.output} cannot be written: {error.strerror}") from error
    say(f"{badge.message} ({badge.colour}): {', '.join(str(options.output / name) for name in texts)}")
    return 0
