"""How a project stands on its objectives: values, budgets, burn rates."""

from __future__ import annotations

import math

from pytest_ftc.config.cost import COST, Prices
from pytest_ftc.config.objectives import CATALOGUE, ObjectiveSettings
from pytest_ftc.model.objectives.standing import Objective, Standing
from pytest_ftc.store.observations.database import Observations
from pytest_ftc.store.observations.measures import MEASURES, Kind, Measure
from pytest_ftc.store.observations.readings import DAY, Question, Reader, Reading, Tally

BURN_WINDOWS = {"1h": 3600.0, "6h": 6 * 3600.0, "3d": 3 * DAY}
"""The windows of burn rates, in seconds."""
_NO_PRICES = f"no prices: [tool.ftc.{COST}]"


def measure_objectives(
    observations: Observations, settings: ObjectiveSettings, prices: Prices | None, project: str, now: float
) -> list[Standing]:
    """Return how `project` stands on each objective at the time `now`.  Raises StoreUnavailableError."""
    question = Question(
        now=now,
        days=round(settings.window / DAY),
        spans=tuple(BURN_WINDOWS.values()),
        parameters={
            "project": project,
            "per_cpu_hour": prices.per_cpu_hour if prices else None,
            "per_gb": prices.per_gb if prices else None,
        },
    )
    with observations.opened() as connection:
        reader = Reader(connection, question)
        readings = {one.name: reader.read(MEASURES[one.name], settings.targets[one.name]) for one in CATALOGUE}
    return [_judge(one, readings[one.name], settings, prices) for one in CATALOGUE]


def _judge(objective: Objective, reading: Reading, settings: ObjectiveSettings, prices: Prices | None) -> Standing:
    measure, target = MEASURES[objective.name], settings.targets[objective.name]
    used = _spending(measure, reading.window, target, 1.0)
    burn = {
        name: _spending(measure, tally, target, span / settings.window)
        for (name, span), tally in zip(BURN_WINDOWS.items(), reading.spans, strict=True)
    }
    unpriced = measure.kind is Kind.MEAN and prices is None
    return Standing(
        objective=objective,
        target=target,
        value=None if unpriced else reading.value,
        window=settings.window,
        budget_left=None if used is None or unpriced else 1 - used,
        burn=dict.fromkeys(burn) if unpriced else burn,
        daily=(None,) * len(reading.daily) if unpriced else reading.daily,
        unit=prices.currency if prices and measure.kind is Kind.MEAN else objective.unit.value,
        note=_NO_PRICES if unpriced else "",
    )


def _spending(measure: Measure, tally: Tally, target: float | None, part: float) -> float | None:
    """Return how quickly the budget is spent in a span that is this `part` of the window; None without data.

    With a `part` of 1, that is how much of the budget is spent.
    """
    if target is None or not tally.total:
        return None
    if measure.kind is Kind.SHARE:
        wrong, may = (tally.total - tally.value) / tally.total, 1 - target
    elif measure.kind is Kind.PERCENTILE:
        wrong, may = tally.value / tally.total, 1 - measure.percent / 100
    elif measure.kind is Kind.MEAN:
        wrong, may = tally.value / tally.total, target
    else:
        wrong, may = tally.value / part, target
    if not wrong:
        return 0.0
    return wrong / may if may > 0 else math.inf
