"""Selecting the variables of the caller's environment that a build gets."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from pytest_ftc.model.support.credentials import without_credentials
from pytest_ftc.model.timing.trace_context import TRACE_VARIABLES


def passed_variables(patterns: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environ` whose names match one of the globs `patterns`.

    Credentials of this package must be named in full: ``*`` is not meant to let a build seal verdicts or sign.
    The variables of a trace are never among them: each build gets its own, and no verdict depends on the caller's.
    """
    given = {**without_credentials(environ), **{name: environ[name] for name in patterns if name in environ}}
    names = [name for name in given if name not in TRACE_VARIABLES]
    return {name: given[name] for name in names if any(fnmatch.fnmatchcase(name, item) for item in patterns)}
