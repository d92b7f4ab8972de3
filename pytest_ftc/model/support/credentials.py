"""Credentials in the environment of a session, which the programs that it starts have no use for."""

from __future__ import annotations

from collections.abc import Mapping

OURS = frozenset({"FTC_HSM_PIN", "FTC_STORE_KEY", "VAULT_TOKEN", "BAO_TOKEN"})
"""Variables that only this package and its libraries read."""


def without_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without `OURS`: git and installers run programs that a repository or a package names."""
    return {name: value for name, value in environ.items() if name not in OURS}
