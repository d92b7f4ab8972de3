"""Reads ``[tool.ftc.objectives]``: what a project wants of its builds and of its verifications."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftc.config.file import read_file, show
from pytest_ftc.config.location import Place
from pytest_ftc.config.table import find_table
from pytest_ftc.model.objectives.standing import Objective, Unit

OBJECTIVES = "objectives"
"""The name of the table."""
_WINDOW = "window"
_DAYS = re.compile("[1-9][0-9]{0,2}d")
_DAY = 86400.0

_BUILT = "Cached verdicts are left out: nothing was built for them."
CATALOGUE = (
    Objective(
        name="build_success",
        unit=Unit.SHARE,
        target=0.995,
        formula="verifications that built without the verdict `failed` or `error` / all that built. No failures are "
        "builds of a session that a user ended (Ctrl-C), builds that passed when they were retried, tests that fail.",
    ),
    Objective(
        name="build_time_median",
        unit=Unit.SECONDS,
        target=None,
        formula=f"median of the wall time of control builds. {_BUILT}",
    ),
    Objective(
        name="build_time_p95",
        unit=Unit.SECONDS,
        target=None,
        formula=f"95th percentile of the wall time of control builds. {_BUILT}",
    ),
    Objective(
        name="cache_hit_rate",
        unit=Unit.SHARE,
        target=0.85,
        formula="verdicts from the cache / verdicts that could have come from there. Left out: `--ftc-no-cache`, "
        "builds on a farm, artifacts with secrets or downloads.",
    ),
    Objective(
        name="verification_time_p95",
        unit=Unit.SECONDS,
        target=120.0,
        formula="95th percentile of the wall time of verifications: builds, comparison, diagnosis, waiting for others"
        " in the same session. Cached ones count.",
    ),
    Objective(
        name="reproducible_share",
        unit=Unit.SHARE,
        target=1.0,
        formula="verdicts `reproducible` / verdicts `reproducible`, `unreproducible` and `fragile`.",
    ),
    Objective(
        name="store_write_success",
        unit=Unit.SHARE,
        target=0.999,
        formula="writes to the store that succeeded / all: builds in the history, their inputs, verdicts with outputs.",
    ),
    Objective(
        name="failed_signings",
        unit=Unit.COUNT,
        target=0.0,
        formula="attestations that a session could not make or sign; those that wait for a signer count.",
    ),
    Objective(
        name="mismatch_incidents",
        unit=Unit.COUNT,
        target=0.0,
        formula="verifications whose outputs differ from those recorded earlier for the same inputs.",
    ),
    Objective(
        name="time_to_deployable",
        unit=Unit.SECONDS,
        target=None,
        formula="95th percentile, over commits and artifacts, of the time from the commit's time to the end of its "
        "first verification with the verdict `reproducible`. Sessions with local changes are left out.",
    ),
    Objective(
        name="cost_per_artifact",
        unit=Unit.MONEY,
        target=None,
        formula="mean over verifications, cached ones included (they cost nothing): CPU time of all builds at "
        "`per_cpu_hour`, and outputs of the control build at `per_gb`. Where CPU time is not known, wall time counts.",
    ),
)
"""All objectives, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSettings:
    """The targets of a project."""

    window: float = 28 * _DAY
    """Seconds over which the objectives are measured."""
    targets: Mapping[str, float | None] = field(default_factory=lambda: {one.name: one.target for one in CATALOGUE})
    """The target of each objective; None for none."""


def load_objectives(root: Path) -> ObjectiveSettings:
    """Return the objectives of the project in `root`.  Raises ConfigurationError."""
    file, tables = read_file(root)
    return read_objectives(Place(file.name if file else "", tables.text, tables.prefix), tables.ftc)


def read_objectives(place: Place, tables: Mapping[str, Any]) -> ObjectiveSettings:
    """Return the objectives in `tables`, those of the session, and defaults for the others.

    Raises ConfigurationError.
    """
    table = find_table(place, tables, OBJECTIVES, (_WINDOW, *(one.name for one in CATALOGUE))) or {}
    below, default = place.below(OBJECTIVES), ObjectiveSettings()
    targets = {one.name: _read_target(below, table, one) for one in CATALOGUE if one.name in table}
    return ObjectiveSettings(
        window=_read_window(below, table[_WINDOW]) if _WINDOW in table else default.window,
        targets={**default.targets, **targets},
    )


def _read_window(place: Place, window: Any) -> float:
    if not isinstance(window, str) or not _DAYS.fullmatch(window):
        place.fail(_WINDOW, f"expected a number of days from 1 to 999 such as '28d', found {show(window)}")
    return int(window[:-1]) * _DAY


def _read_target(place: Place, table: Mapping[str, Any], objective: Objective) -> float | None:
    target = table[objective.name]
    if target is False:
        return None
    most = 1.0 if objective.unit is Unit.SHARE else sys.float_info.max
    if type(target) not in (int, float) or not 0 <= target <= most:
        expected = {
            Unit.SHARE: "a share from 0 to 1 such as 0.99",
            Unit.SECONDS: "a number of seconds such as 90",
            Unit.COUNT: "a number such as 0",
            Unit.MONEY: "an amount such as 0.05",
        }[objective.unit]
        place.fail(objective.name, f"expected {expected}, or false for no target, found {show(target)}")
    return float(target)
