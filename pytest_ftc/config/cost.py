"""Reads ``[tool.ftc.cost]``: what CPU time and contents cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.config.file import read_file, show
from pytest_ftc.config.location import Place
from pytest_ftc.config.table import find_table

COST = "cost"
"""The name of the table."""
_KEYS = ("per_cpu_hour", "per_gb", "currency")
_MOST = 1e100
"""The greatest price: what it makes of times and sizes is still a number, no infinity."""
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What builds cost."""

    per_cpu_hour: float = 0.0
    """The price of an hour of one CPU."""
    per_gb: float = 0.0
    """The price of a gigabyte, of 10⁹ bytes."""
    currency: str
    """Three letters of ISO 4217, such as ``EUR``."""

    def cost(self, cpu_seconds: float, gigabytes: float) -> float:
        """Return what this CPU time and as many gigabytes cost, in `currency`."""
        return cpu_seconds / 3600 * self.per_cpu_hour + gigabytes * self.per_gb


def load_cost(root: Path) -> Prices | None:
    """Return the prices of the project in `root`; None if it does not say.  Raises ConfigurationError."""
    file, tables = read_file(root)
    return read_cost(Place(file.name if file else "", tables.text, tables.prefix), tables.ftc)


def read_cost(place: Place, tables: Mapping[str, Any]) -> Prices | None:
    """Return the prices in `tables`, those of the session; None if they have no such table.

    Raises ConfigurationError.
    """
    table, below = find_table(place, tables, COST, _KEYS), place.below(COST)
    if table is None:
        return None
    if "currency" not in table:
        below.fail("", "key 'currency' is missing; expected three letters such as 'EUR'", about="")
    currency = table["currency"]
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        below.fail("currency", f"expected three capital letters such as 'EUR', found {show(currency)}")
    if not table.keys() & {"per_cpu_hour", "per_gb"}:
        below.fail("", "expected per_cpu_hour, per_gb or both, found neither", about="")
    return Prices(
        per_cpu_hour=_read_price(below, table, "per_cpu_hour"),
        per_gb=_read_price(below, table, "per_gb"),
        currency=currency,
    )


def _read_price(place: Place, table: Mapping[str, Any], key: str) -> float:
    price = table.get(key, 0.0)
    if type(price) not in (int, float) or not 0 <= price <= _MOST:
        place.fail(key, f"expected a price such as 0.04, found {show(price)}")
    return float(price)
