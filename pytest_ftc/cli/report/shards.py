"""``ftc report shards``: whether the reports of all jobs of a matrix have, together, every artifact."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ftc.cli.output import print_json, say
from pytest_ftc.cli.report.read import read_report
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.sharding.together import ShardReport, Together, put_together, read_shard_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc report shards``."""
    parser.add_argument(
        "reports", type=Path, nargs="+", metavar="REPORT", help="the folders of --ftc-report, or files report.json"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc report shards``; return 1 if an artifact was verified nowhere, or that is not certain."""
    reports: list[ShardReport] = []
    problems: list[str] = []
    for given in options.reports:
        path, document = read_report(given)
        try:
            found = read_shard_report(str(path), document)
            put_together([found] if isinstance(found, ShardReport) else [])  # so that an error names the file
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{path}: this report cannot be read: {error!r}") from None
        reports += [found] if isinstance(found, ShardReport) else []
        problems += [found] if isinstance(found, str) else []
    together = put_together(reports)
    problems += together.problems
    if options.json:
        print_json({"problems": problems, "artifacts": together.total, "verdicts": dict(together.verdicts)})
    else:
        say("\n".join([*(f"✘ {problem}" for problem in problems), *_describe(together, len(reports), not problems)]))
    return 1 if problems else 0


def _describe(together: Together, count: int, whole: bool) -> list[str]:
    counted = (
        ", ".join(f"{number} {verdict}" for verdict, number in together.verdicts.items()) or "nothing was verified"
    )
    complete = f"✔ {count} shard{'s' * (count != 1)} have all {together.total} artifacts" if whole else ""
    return [*filter(None, (complete,)), f"  verdicts    {counted}"]
