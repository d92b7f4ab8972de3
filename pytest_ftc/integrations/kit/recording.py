"""Recording rules: what alerts and dashboards ask for, computed once."""

from __future__ import annotations

from dataclasses import dataclass

BURN_WINDOWS = ("5m", "30m", "1h", "6h", "3d")
"""Windows of the burn rates, see https://sre.google/workbook/alerting-on-slos/."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording rule, named by its labels, metric and operation."""

    name: str
    expression: str


def _ratio(part: str, whole: str, window: str) -> str:
    """Return the share of `part` in `whole` by project; nothing where there was none, instead of 0/0."""
    return f"sum by (project) (rate({part}[{window}]))\n/\n(sum by (project) (rate({whole}[{window}])) > 0)"


def _mean(window: str) -> str:
    """Return the mean seconds of a build, by artifact."""
    by = "sum by (project, artifact)"
    return f"{by} (rate(ftc_build_seconds_sum[{window}]))\n/\n({by} (rate(ftc_build_seconds_count[{window}])) > 0)"


def _hits(window: str) -> str:
    """Return the share of lookups that found a verdict in any store: each asks the local one first."""
    return (
        f"sum by (project) (rate(ftc_cache_hits_total[{window}]))\n"
        "/\n"
        "(\n"
        f'  sum by (project) (rate(ftc_cache_hits_total{{tier="local"}}[{window}]))\n'
        f'  + sum by (project) (rate(ftc_cache_misses_total{{tier="local"}}[{window}]))\n'
        "  > 0\n"
        ")"
    )


def _p95(histogram: str) -> str:
    return f"histogram_quantile(0.95, sum by (project, le) (rate({histogram}_bucket[1d])) > 0)"


_CONTROLS = 'ftc_builds_total{role="control"}'
_FAILED = 'ftc_builds_total{role="control",outcome!="ok"}'
_DECIDED = 'ftc_verdicts_total{verdict=~"reproducible|unreproducible|fragile"}'
_MISMATCHED = 'ftc_verdicts_total{verdict=~"unreproducible|fragile"}'

RECORDINGS = (
    *(
        Recording(name=f"project:ftc_builds_failed:ratio_rate{window}", expression=_ratio(_FAILED, _CONTROLS, window))
        for window in BURN_WINDOWS
    ),
    *(
        Recording(
            name=f"project:ftc_verdicts_mismatched:ratio_rate{window}",
            expression=_ratio(_MISMATCHED, _DECIDED, window),
        )
        for window in BURN_WINDOWS
    ),
    *(
        Recording(name=f"project:ftc_cache_hits:ratio_rate{window}", expression=_hits(window))
        for window in ("1h", "1d", "7d")
    ),
    *(
        Recording(name=f"project_artifact:ftc_build_seconds:mean{window}", expression=_mean(window))
        for window in ("1d", "7d")
    ),
    Recording(name="project:ftc_build_seconds:p95_1d", expression=_p95("ftc_build_seconds")),
    Recording(name="project:ftc_verification_seconds:p95_1d", expression=_p95("ftc_verification_seconds")),
    Recording(
        name="project:ftc_store_writes_failed:ratio_rate1h",
        expression=_ratio('ftc_store_writes_total{outcome="failed"}', "ftc_store_writes_total", "1h"),
    ),
    Recording(
        name="project:ftc_build_retries:ratio_rate1d",
        expression=_ratio("ftc_build_retries_total", "ftc_build_attempts_total", "1d"),
    ),
    Recording(
        name="project_currency:ftc_verification_cost:increase1d",
        expression="sum by (project, currency) (increase(ftc_verification_cost_total[1d]))",
    ),
    Recording(
        name="project_artifact:ftc_artifact_unverified:days",
        expression="(time() - max by (project, artifact) (ftc_artifact_verified_timestamp_seconds)) / 86400",
    ),
)
