"""``ftc metrics``: shows, pushes and deletes the metrics of the project in the current folder."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftc.cli.output import print_json, say, write_text
from pytest_ftc.cli.parser import add_action
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError, FtcError

if TYPE_CHECKING:
    from pytest_ftc.integrations.metrics.export import Export
    from pytest_ftc.integrations.metrics.measured import Measured

_BRIEFS = {
    "show": "print the totals of all sessions, and what the store holds, in the text format of Prometheus",
    "push": "write and push them again, such as after the Pushgateway was away",
    "delete": "delete the group of this project from the Pushgateway",
}
_SECONDS = 30.0
"""How long a Pushgateway may take: nobody waits for this command."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc metrics``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, brief in _BRIEFS.items():
        own = add_action(actions, name, brief)
        own.add_argument(
            "--store", metavar="DIR", type=Path, help="the store with the totals (default: that of the project)"
        )
        if name == "show":
            own.add_argument("--json", action="store_true", help="print a list of series as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the action."""
    export = _open(options.store)
    measured = export.look_at_store()
    if options.action == "show":
        totals = export.totals.read()
        totals.add(measured)
        _show(totals, as_json=options.json)
        return 0
    if options.action == "delete":
        return _delete(export)
    problem = export.leave(measured, time.monotonic() + _SECONDS)
    export.close()
    if problem:
        raise FtcError(problem)
    ways = (export.settings.textfile, export.group and export.group.place, export.otlp and export.otlp.place)
    for place in filter(None, ways):
        say(f"✔ {place}")
    return 0


def _open(store: Path | None) -> Export:
    config = load_project(Path.cwd(), {"store": str(store)} if store else {}, needs_artifacts=False)
    from pytest_ftc.integrations.opentelemetry.metrics import find_otlp

    otlp, _ = find_otlp(config.root, os.environ)
    if config.metrics is None and otlp is None:
        raise ConfigurationError(f"[tool.ftc.metrics] is missing in {config.file or config.root}: nothing is measured")
    # Only now, so that the message above needs no extra.
    from pytest_ftc.integrations.metrics.export import open_export

    return open_export(config, otlp)


def _show(totals: Measured, *, as_json: bool) -> None:
    if as_json:
        print_json([{"name": one.metric.name, "labels": one.labels, "value": one.value} for one in totals.samples()])
        return
    from pytest_ftc.integrations.metrics.exposition import to_text

    write_text(to_text(totals).decode())


def _delete(export: Export) -> int:
    if export.group is None:
        raise ConfigurationError("[tool.ftc.metrics] has no pushgateway: there is no group to delete")
    export.group.delete(_SECONDS)
    say(f"✔ deleted from {export.group.place}")
    return 0
