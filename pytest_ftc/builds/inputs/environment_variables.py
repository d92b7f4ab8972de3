"""Selecting the variables of the caller's environment that a build gets."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence


def passed_variables(patterns: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environ` whose names match one of the globs `patterns`."""
    return {name: environ[name] for name in environ if any(fnmatch.fnmatchcase(name, item) for item in patterns)}
