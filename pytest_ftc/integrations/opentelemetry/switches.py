"""Which signals go where, by the standard variables ``OTEL_*``.

See https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.  With none of them nothing is
exported, although that specification wants OTLP to localhost then: tests must not look for a collector unasked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_ftc.model.support.printable import shorten

TRACES, METRICS = "TRACES", "METRICS"
DISABLED = "OTEL_SDK_DISABLED"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL = "http/protobuf"
"""The one that is spoken here, and the usual one of the specification."""
_KNOWN = {TRACES: ("otlp", "console", "none"), METRICS: ("otlp", "none")}
_OF_PYTHON = {"otlp_proto_http": "otlp", "otlp_proto_grpc": "otlp"}
"""More names that OpenTelemetry for Python has; pytest-opentelemetry sets the variable to the second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where a signal goes."""

    otlp: bool = False
    console: bool = False
    disabled: bool = False
    """Whether nothing may be exported, in no way."""
    problems: tuple[str, ...] = ()
    """What is asked for and not done, one sentence each."""


def find_wanted(environ: Mapping[str, str], signal: str) -> Wanted:
    """Return where `signal`, TRACES or METRICS, goes by the variables in `environ`."""
    if environ.get(DISABLED, "").strip().lower() == "true":
        return Wanted(disabled=True)
    exporter = f"OTEL_{signal}_EXPORTER"
    endpoint = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or environ.get(ENDPOINT)
    given = [name for word in environ.get(exporter, "").split(",") if (name := word.strip().lower())]
    names = [_OF_PYTHON.get(name, name) for name in given] or (["otlp"] if endpoint else [])
    problems = [
        f"{exporter}: expected {', '.join(_KNOWN[signal])}, found {shorten(name, 40)!r}, which is left out"
        for name in dict.fromkeys(names)
        if name not in _KNOWN[signal]
    ]
    otlp = "otlp" in names
    if otlp and (problem := _find_other_protocol(environ, signal)):
        otlp = False
        problems.append(problem)
    return Wanted(otlp=otlp, console="console" in names and signal == TRACES, problems=tuple(problems))


def _find_other_protocol(environ: Mapping[str, str], signal: str) -> str:
    """Return what is wrong with the protocol; empty if nothing is."""
    for variable in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if protocol := environ.get(variable, "").strip():
            if protocol == _PROTOCOL:
                return ""
            return (
                f"{variable}: expected {_PROTOCOL}, which is the only one here, found {shorten(protocol, 40)!r}; "
                f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL={_PROTOCOL} is for this signal alone"
            )
    return ""
