"""Reads ``[tool.ftc.sets]``: names for sets of variations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftc.config.file import show
from pytest_ftc.config.location import Place
from pytest_ftc.config.schema import Known
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.grammar.named_sets import name_set

SETS = "sets"
"""The name of the table."""


def read_sets(place: Place, tables: Mapping[str, Any], known: Known) -> Known:
    """Return `known` with the sets that `tables`, those of the session, name.  Raises ConfigurationError."""
    table = tables.get(SETS, {})
    if not isinstance(table, dict):
        place.fail(SETS, f"expected a table, found {show(table)}")
    for name, specification in table.items():
        known = _read_set(place.below(SETS), name, specification, known)
    return known


def _read_set(place: Place, name: str, specification: Any, known: Known) -> Known:
    try:
        return name_set(name, specification, known)
    except ConfigurationError as error:
        place.fail(name, error.message)
