"""Reads ``[tool.ftc.defaults]``: settings of all artifacts that do not set them themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftc.config.location import Place
from pytest_ftc.config.schema import ARTIFACT_KEYS
from pytest_ftc.config.table import read_flag, reject_unknown

DEFAULTS = "defaults"
"""The name of the table; as a key with true or false, it says only what `PRESETS` says in it."""
PRESETS = "presets"
"""Whether the sdist and the wheel are verified without a table of their own."""
_OF_ONE = ("build", "preset", "outputs", "source", "reference")
"""Keys that artifacts do not share."""
_SHARED = tuple(key for key in ARTIFACT_KEYS if key not in _OF_ONE)


def split_defaults(place: Place, tables: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return `tables`, those of the session, with true, false or nothing as defaults; and the settings that are shared.

    Raises ConfigurationError for a key that is not shared.
    """
    table = tables.get(DEFAULTS)
    if not isinstance(table, dict):
        return tables, {}
    below = place.below(DEFAULTS)
    reject_unknown(below, table, [*_SHARED, PRESETS])
    others = {name: value for name, value in tables.items() if name != DEFAULTS}
    flag = {DEFAULTS: read_flag(below, table, PRESETS)} if PRESETS in table else {}
    return {**others, **flag}, {key: value for key, value in table.items() if key != PRESETS}


def with_defaults(tables: Any, shared: Mapping[str, Any]) -> Any:
    """Return the `tables` of artifacts, each with those of the `shared` settings that it does not have.

    Variables of ``env`` are added one by one.  What is no table stays as it is.
    """
    if not shared or not isinstance(tables, dict):
        return tables
    return {name: _merge(table, shared) if isinstance(table, dict) else table for name, table in tables.items()}


def _merge(table: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    own, others = table.get("env", {}), shared.get("env", {})
    env = {"env": {**others, **own}} if isinstance(own, dict) and others else {}
    return {**shared, **table, **env}
