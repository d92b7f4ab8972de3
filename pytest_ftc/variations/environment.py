"""Environment variables that no build should depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_ftc.model import Environment, Machine, parameter
from pytest_ftc.model.timing.trace_context import foreign_trace

_TAKEN = re.compile(
    "PATH|HOME|TMPDIR|TZ|LANG|LANGUAGE|LC_.*|TERM|COLUMNS|LINES|USER|LOGNAME|PYTHONHASHSEED|PERL_HASH_SEED"
    "|SOURCE_DATE_EPOCH|LD_.*|FAKETIME.*|NO_FAKE_STAT|FAKE_UTIME|DONT_FAKE_MONOTONIC|ASAN_OPTIONS"
)
"""Variables that other variations set, or without which programs do not run."""


def _read_name(text: str) -> str:
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text) or _TAKEN.fullmatch(text):
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class UnknownVariables:
    """One variable has a different value; another, and all those you name, exist only in the experiment.

    The variables of a trace differ too (TRACEPARENT, TRACESTATE, BAGGAGE): only the control is part of the session's.
    """

    name = "environment"
    mechanism = "environment variables"
    variables: tuple[str, ...] = parameter(
        ("FTC_CANARY", "FTC_CANARY_EXTRA"),
        _read_name,
        "names of environment variables such as CI;EDITOR that no build needs and no other variation sets",
        many=True,
        written="FTC_CANARY;FTC_CANARY_EXTRA",
        meaning="names of variables to set in the experiment: builds get none of yours, so to learn whether one reads "
        "`CI` or `EDITOR`, add `environment.variables+=CI;EDITOR`. Plain names, where reprotest takes patterns too",
    )

    def unavailable(self, machine: Machine) -> str | None:
        return None if self.variables else "environment.variables names none"

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        values = {name: f"ftc-{'variable' if name == 'FTC_CANARY' else 'extra'}-{token}" for name in self.variables}
        # Those that the user names come last: a name may be one of the trace's.
        return environment.with_variables(**{**foreign_trace(token), **values})

    def describe(self, environment: Environment) -> str:
        names = dict.fromkeys(("FTC_CANARY", *self.variables))
        return " ".join(f"{name}={environment.variables[name]}" for name in names if name in environment.variables)
