"""What configurations in folders below have from the project's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftc.config.secrets import TABLES
from pytest_ftc.config.shared.defaults import DEFAULTS, PRESETS

_FOR_ARTIFACTS = ("strict", "pass_sockets")
"""Keys of a session that are those of its artifacts too."""


def inherit(above: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a configuration below: its `own`, and those of the one `above` that it does not set.

    Secrets are only those from above, since a session reads them once, in one folder.
    """
    shared = {key: above[key] for key in _FOR_ARTIFACTS if key in above}
    own = {key: value for key, value in own.items() if key not in TABLES}
    secrets = {key: above[key] for key in TABLES if key in above}
    return {**shared, **own, **secrets, **_inherit_defaults(above.get(DEFAULTS, {}), own.get(DEFAULTS, {}))}


def _inherit_defaults(above: Any, own: Any) -> dict[str, Any]:
    first, second = _as_table(above), _as_table(own)
    if first is None or second is None:
        return {}  # what is neither is refused where it is
    env = [table.get("env", {}) for table in (first, second)]
    merged = {**first, **second}
    if all(isinstance(one, dict) for one in env) and any(env):
        merged["env"] = {**env[0], **env[1]}
    return {DEFAULTS: merged} if merged else {}


def _as_table(defaults: Any) -> dict[str, Any] | None:
    if isinstance(defaults, bool):
        return {PRESETS: defaults}
    return defaults if isinstance(defaults, dict) else None
