"""Whether a trace is exported: ``OTEL_TRACES_SAMPLER``, which decides once for a whole session."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pytest_ftc.model.timing.trace_context import TraceContext

SAMPLER, SAMPLER_ARG = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
_PARENT = "parentbased_"
_NAMES = ("always_on", "always_off", "traceidratio")
_USUAL = "parentbased_always_on"


def is_sampled(context: TraceContext, environ: Mapping[str, str]) -> tuple[bool, str]:
    """Return whether the trace is exported, and what is wrong with the variables, empty if nothing is.

    As the specification wants it, an unknown sampler counts as the usual one, and a bad ratio as 1.
    """
    name, problem = environ.get(SAMPLER, "").strip().lower() or _USUAL, ""
    if name.removeprefix(_PARENT) not in _NAMES:
        problem = f"{SAMPLER}: expected one of {', '.join(_NAMES)}, or one of these after {_PARENT}, found another"
        name = _USUAL
    if name.startswith(_PARENT) and context.parent_span:
        return context.sampled, problem
    kind = name.removeprefix(_PARENT)
    if kind != "traceidratio":
        return kind == "always_on", problem
    ratio = _read_ratio(environ.get(SAMPLER_ARG, ""))
    if ratio is None:
        return True, f"{SAMPLER_ARG}: expected a ratio from 0 to 1, found another value"
    # All who sample by the same ratio must come to the same decision, so this is how SDKs do it.
    return int(context.trace_id[16:], 16) < round(ratio * 2**64), problem


def _read_ratio(text: str) -> float | None:
    if not text.strip():
        return 1.0
    try:
        ratio = float(text)
    except ValueError:
        return None
    return ratio if math.isfinite(ratio) and 0 <= ratio <= 1 else None
