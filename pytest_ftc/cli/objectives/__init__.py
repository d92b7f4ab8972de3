"""``ftc objectives``: how the project in the current folder stands on its objectives."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

from pytest_ftc.cli.output import page_style, print_json, write_text
from pytest_ftc.cli.store import add_store_arguments
from pytest_ftc.config.cost import load_cost
from pytest_ftc.config.file import load_store
from pytest_ftc.config.objectives import load_objectives
from pytest_ftc.model.objectives.standing import Standing
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.observations.database import Observations
from pytest_ftc.verification.objectives.standing import measure_objectives
from pytest_ftc.verification.user_folders import store_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc objectives``."""
    add_store_arguments(parser)
    parser.add_argument("--check", action="store_true", help="exit status 1 if the budget of an objective is spent")


def standings_of(folder: Path | None, project: Path) -> list[Standing]:
    """Return how `project` stands, by the store in `folder`, else the one of sessions.  Raises FtcError."""
    settings, prices = load_objectives(project), load_cost(project)
    layout = Layout(folder or load_store(project) or store_folder())
    layout.make()
    return measure_objectives(Observations(layout), settings, prices, str(project), time.time())


def run(options: argparse.Namespace) -> int:
    """Print the objectives."""
    standings = standings_of(options.store, Path.cwd())
    if options.json:
        print_json([_as_json(one) for one in standings])
    else:
        from pytest_ftc.reporting.terminal.objectives import describe_spent, render_objectives

        write_text(render_objectives(standings, **page_style()))
        write_text(f"{describe_spent(standings)}\n")
    return int(options.check and any(one.spent for one in standings))


def _as_json(standing: Standing) -> dict[str, Any]:
    objective = standing.objective
    return {
        "name": objective.name,
        "value": standing.value,
        "unit": standing.unit,
        "target": standing.target,
        "good": "at least" if objective.at_least else "at most",
        "window": standing.window,
        "budget_left": _number(standing.budget_left),
        "spent": standing.spent,
        "burn": {name: _number(rate) for name, rate in standing.burn.items()},
        "daily": standing.daily,
        "formula": objective.formula,
        "note": standing.note,
    }


def _number(value: float | None) -> float | str | None:
    """Return `value`; JSON has no infinity, so that is text."""
    return value if value is None or math.isfinite(value) else str(value)
