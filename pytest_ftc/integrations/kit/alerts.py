"""The alerts.  Each has a section of docs/runbooks.md, which says what to look at, and what to do.

A session pushes once and is gone, so its last values stay.  Most alerts look at such values, which the next session
changes; those that look at events count a counter that first appears with a value, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.integrations.kit.targets import Targets

PAGE = "page"
"""Somebody has to look now."""
TICKET = "ticket"
"""Somebody has to look in the next days."""

_UNSIGNED = 'ftc_signings_total{outcome="failed"}'
_UNMOVED = 'ftc_registry_operations_total{outcome="failed"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert."""

    name: str
    severity: str
    expression: str
    summary: str
    """One line, with templates of Prometheus."""
    description: str
    lasting: str = "0m"
    """How long the expression must hold before it fires."""
    kept: str = "0m"
    """How long it keeps firing when the expression holds no more."""


def make_alerts(targets: Targets) -> tuple[Alert, ...]:
    """Return all alerts, with the limits of `targets`."""
    return (
        *_outages(),
        *_events(targets),
        *_burns(targets),
        *_retries(targets),
        *_cache(targets),
        *_services(),
        *_artifacts(targets),
    )


def _grew(counter: str, window: str) -> str:
    """Return which series of `counter` grew in `window`; a new one is no growth for `increase()`."""
    return f"(increase({counter}[{window}]) > 0 or ({counter} > 0 unless {counter} offset {window}))"


def _outages() -> tuple[Alert, ...]:
    return (
        Alert(
            name="FtcStoreOutage",
            severity=PAGE,
            expression="min by (project, instance) (ftc_store_up) == 0",
            lasting="5m",
            summary="The verification cache of {{ $labels.project }} on {{ $labels.instance }} cannot be used",
            description="The last session could not write to the store, so each session builds everything again.",
        ),
        Alert(
            name="FtcSigningKeyFailure",
            severity=PAGE,
            expression=(
                "max by (project, instance) (ftc_signing_queue_length) > 0\n"
                "or\n"
                f"max by (project, instance) ({_grew(_UNSIGNED, '1h')}) > 0"
            ),
            lasting="5m",
            summary="Attestations of {{ $labels.project }} on {{ $labels.instance }} are not signed",
            description="A signing key or its service fails: {{ $value }} attestations wait or could not be made.",
        ),
    )


def _events(targets: Targets) -> tuple[Alert, ...]:
    return (
        Alert(
            name="FtcSchedulerStuck",
            severity=PAGE,
            expression=(
                "max by (project, instance) (ftc_session_active) == 1\n"
                "and\n"
                "time() - max by (project, instance) (ftc_session_progress_timestamp_seconds)\n"
                f"  > {targets.stuck_timeouts:g} * max by (project, instance) (ftc_build_timeout_seconds)"
                f" + {targets.stuck_seconds:g}"
            ),
            summary="A session of {{ $labels.project }} on {{ $labels.instance }} hangs or was killed",
            description="Nothing began or ended for longer than builds may take.",
        ),
        Alert(
            name="FtcMismatchInCriticalArtifact",
            severity=PAGE,
            expression=(
                "min by (project, artifact) (ftc_artifact_reproducible) == 0\n"
                "and\n"
                "max by (project, artifact) (ftc_artifact_critical) == 1"
            ),
            summary="The critical artifact {{ $labels.artifact }} of {{ $labels.project }} is not reproducible",
            description="Two builds of the same source had other bytes when it was last verified: do not release it.",
        ),
    )


def _burns(targets: Targets) -> tuple[Alert, ...]:
    return (
        *_burn("FtcBuildSuccess", "project:ftc_builds_failed", targets.build_success, "control builds fail"),
        *_burn(
            "FtcReproducibleShare", "project:ftc_verdicts_mismatched", targets.reproducible, "verdicts are mismatches"
        ),
    )


def _burn(name: str, record: str, target: float, what: str) -> tuple[Alert, Alert]:
    """Return the alerts on the budget of one objective, see https://sre.google/workbook/alerting-on-slos/."""
    budget = round(1 - target, 9)

    def both(long: str, short: str, rate: float) -> str:
        limit = f"{rate * budget:.6g}"
        return f"({record}:ratio_rate{long} > {limit} and {record}:ratio_rate{short} > {limit})"

    description = f"{{{{ $value | humanizePercentage }}}} of the {what}; the budget is {budget:.3%}."
    return (
        Alert(
            name=f"{name}BurnsFast",
            severity=PAGE,
            expression=f"{both('1h', '5m', 14.4)}\nor\n{both('6h', '30m', 6)}",
            kept="15m",
            summary="The budget of {{ $labels.project }} is spent in days: " + what,
            description=description,
        ),
        Alert(
            name=f"{name}BurnsSlowly",
            severity=TICKET,
            expression=both("3d", "6h", 1),
            lasting="1h",
            summary="The budget of {{ $labels.project }} will not last: " + what,
            description=description,
        ),
    )


def _retries(targets: Targets) -> tuple[Alert, ...]:
    return (
        Alert(
            name="FtcBuildsRetried",
            severity=TICKET,
            expression=f"project:ftc_build_retries:ratio_rate1d > {targets.retries:g}",
            lasting="1h",
            summary="Builds of {{ $labels.project }} are tried again and again",
            description="{{ $value | humanizePercentage }} of the attempts of a day failed for a transient fault.",
        ),
    )


def _cache(targets: Targets) -> tuple[Alert, ...]:
    corrupt = "ftc_cache_corrupt"
    return (
        Alert(
            name="FtcCacheHitRateFalls",
            severity=TICKET,
            expression=(
                f"project:ftc_cache_hits:ratio_rate1d < {targets.cache_hits:g}\n"
                "and\n"
                "project:ftc_cache_hits:ratio_rate1d < project:ftc_cache_hits:ratio_rate7d\n"
                "and\n"
                'sum by (project) (increase(ftc_cache_misses_total{tier="local"}[1d])) > 10'
            ),
            lasting="1h",
            summary="The cache of {{ $labels.project }} has fewer and fewer of the verdicts that are asked for",
            description="{{ $value | humanizePercentage }} of the lookups of a day found a verdict.",
        ),
        Alert(
            name="FtcCacheCorrupt",
            severity=TICKET,
            expression=(
                f"max by (project, instance) ({corrupt} - min_over_time({corrupt}[1d]) > 0\n"
                f"  or ({corrupt} > 0 unless {corrupt} offset 1d))"
            ),
            summary="The store of {{ $labels.project }} on {{ $labels.instance }} has corrupt entries",
            description="{{ $value }} more files than a day ago are in quarantine: the disk or its memory may fail.",
        ),
        Alert(
            name="FtcCacheEvicts",
            severity=TICKET,
            expression=(
                "max by (project, instance) (increase(ftc_cache_evictions_total[1d]))\n"
                "  > 0.5 * max by (project, instance) (ftc_cache_entries)"
            ),
            lasting="1h",
            summary="The store of {{ $labels.project }} on {{ $labels.instance }} is too small",
            description="{{ $value | humanize }} entries were evicted in a day, more than half of what it holds.",
        ),
    )


def _services() -> tuple[Alert, ...]:
    return (
        Alert(
            name="FtcRegistryFailures",
            severity=TICKET,
            expression=(f"sum by (project, operation) ({_grew(_UNMOVED, '6h')}) > 0"),
            summary="A {{ $labels.operation }} of {{ $labels.project }} failed at its registry",
            description="{{ $value | humanize }} failed in six hours.",
        ),
        Alert(
            name="FtcBreakerOpen",
            severity=TICKET,
            expression="max by (project, instance, service) (ftc_breaker_open) == 1",
            lasting="10m",
            summary="{{ $labels.project }} on {{ $labels.instance }} does without its {{ $labels.service }}",
            description="It failed so often that the last session left it alone.",
        ),
        Alert(
            name="FtcPermissionErrors",
            severity=TICKET,
            expression=f"sum by (project, service) ({_grew('ftc_permission_errors_total', '6h')}) > 0",
            summary="{{ $labels.project }} lacks a permission: {{ $labels.service }}",
            description="Permission was denied {{ $value | humanize }} times in six hours.",
        ),
    )


def _artifacts(targets: Targets) -> tuple[Alert, ...]:
    mean = "project_artifact:ftc_build_seconds:mean"
    return (
        Alert(
            name="FtcBuildsSlower",
            severity=TICKET,
            expression=f"{mean}1d > {targets.slower:g} * {mean}7d",
            lasting="1h",
            summary="Builds of {{ $labels.artifact }} of {{ $labels.project }} take longer and longer",
            description="{{ $value | humanizeDuration }} on average in a day.",
        ),
        Alert(
            name="FtcArtifactUnverified",
            severity=TICKET,
            expression=f"project_artifact:ftc_artifact_unverified:days > {targets.verified_days:g}",
            lasting="1h",
            summary="{{ $labels.artifact }} of {{ $labels.project }} was not verified for long",
            description="It was last built and found reproducible {{ $value | humanize }} days ago.",
        ),
        Alert(
            name="FtcSecretLeak",
            severity=TICKET,
            expression="max by (project, artifact) (ftc_artifact_secret_leaks) > 0",
            summary="{{ $labels.artifact }} of {{ $labels.project }} leaks a secret",
            description="{{ $value }} secrets were found in its outputs or logs when it was last verified.",
        ),
        Alert(
            name="FtcCostHigh",
            severity=TICKET,
            expression=f"project_currency:ftc_verification_cost:increase1d > {targets.cost_per_day:g}",
            lasting="1h",
            summary="Verification of {{ $labels.project }} costs more than it may",
            description="{{ $value | humanize }} {{ $labels.currency }} in a day.",
        ),
    )
