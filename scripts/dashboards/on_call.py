"""The dashboard for those whom an alert has called."""

from __future__ import annotations

from panels import PROJECT, Board, Chart, Look, Query, Row

from pytest_ftc.integrations.kit.recording import BURN_WINDOWS
from pytest_ftc.integrations.kit.targets import Targets

_STEP = "[$__rate_interval]"
_BAD = ((None, "green"), (1.0, "red"))
_GOOD = ((None, "red"), (1.0, "green"))

_NOW = Row(
    title="What is wrong now?",
    charts=(
        Chart(
            title="Alerts that fire",
            answers="Which alerts fire, since when, and what is it about?",
            queries=(Query(f'ALERTS{{alertname=~"Ftc.+", alertstate="firing", {PROJECT}}}'),),
            look=Look.TABLE,
            width=16,
            height=8,
            nothing="none",
        ),
        Chart(
            title="Artifacts that need somebody",
            answers="Which artifacts are critical and not reproducible, and which leak secrets?",
            queries=(
                Query(
                    f"(1 - ftc_artifact_reproducible{{{PROJECT}}}) * on (project, artifact)"
                    f" max by (project, artifact) (ftc_artifact_critical{{{PROJECT}}}) > 0",
                    "{{project}} {{artifact}}: critical, not reproducible",
                ),
                Query(
                    f"ftc_artifact_secret_leaks{{{PROJECT}}} > 0",
                    "{{project}} {{artifact}}: secrets",
                ),
            ),
            look=Look.GAUGES,
            steps=_BAD,
            runbook="FtcSecretLeak",
            height=8,
            top=1,
            nothing="none",
        ),
    ),
)
_SESSIONS = Row(
    title="Do sessions get on?",
    charts=(
        Chart(
            title="Waiting and running",
            answers="How many builds and artifacts wait for their turn, and how many builds run?",
            queries=(
                Query(f"sum by (project) (ftc_queue_depth{{{PROJECT}}})", "{{project}} waiting"),
                Query(f"sum by (project) (ftc_builds_running{{{PROJECT}}})", "{{project}} running"),
            ),
            look=Look.LINES,
            runbook="FtcSchedulerStuck",
        ),
        Chart(
            title="Since something happened",
            answers="How long ago did the running session begin or end something?  0 if none is running.",
            queries=(
                Query(
                    f"(time() - ftc_session_progress_timestamp_seconds{{{PROJECT}}})"
                    f" * on (project) max by (project) (ftc_session_active{{{PROJECT}}})",
                    "{{project}}",
                ),
            ),
            look=Look.LINES,
            unit="s",
            runbook="FtcSchedulerStuck",
        ),
        Chart(
            title="Sessions",
            answers="How many sessions have ended, and how?",
            queries=(Query(f"sum by (outcome) (increase(ftc_sessions_total{{{PROJECT}}}{_STEP}))", "{{outcome}}"),),
            look=Look.BARS,
        ),
    ),
)
_SERVICES = Row(
    title="Do the services work?",
    charts=(
        Chart(
            title="Store",
            answers="Could the last session use the store?",
            queries=(Query(f"min by (project) (ftc_store_up{{{PROJECT}}})", "{{project}}"),),
            look=Look.NUMBER,
            unit="bool_yes_no",
            steps=_GOOD,
            runbook="FtcStoreOutage",
            width=4,
        ),
        Chart(
            title="Left alone",
            answers="Which services are left alone because they failed too often?",
            queries=(Query(f"max by (service) (ftc_breaker_open{{{PROJECT}}})", "{{service}}"),),
            look=Look.NUMBER,
            unit="bool_yes_no",
            steps=_BAD,
            runbook="FtcBreakerOpen",
            width=6,
        ),
        Chart(
            title="Writes to the store",
            answers="How many writes succeeded and failed?",
            queries=(Query(f"sum by (outcome) (increase(ftc_store_writes_total{{{PROJECT}}}{_STEP}))", "{{outcome}}"),),
            look=Look.BARS,
            runbook="FtcStoreOutage",
            width=7,
        ),
        Chart(
            title="Corrupt files",
            answers="How many corrupt files are in quarantine?",
            queries=(Query(f"sum by (project) (ftc_cache_corrupt{{{PROJECT}}})", "{{project}}"),),
            look=Look.LINES,
            steps=_BAD,
            runbook="FtcCacheCorrupt",
            width=7,
        ),
        Chart(
            title="Signatures",
            answers="How many attestations were signed, and how many not?",
            queries=(Query(f"sum by (outcome) (increase(ftc_signings_total{{{PROJECT}}}{_STEP}))", "{{outcome}}"),),
            look=Look.BARS,
            runbook="FtcSigningKeyFailure",
            width=5,
        ),
        Chart(
            title="Waiting for a signature",
            answers="How many attestations wait for a signature?",
            queries=(Query(f"sum by (project) (ftc_signing_queue_length{{{PROJECT}}})", "{{project}}"),),
            look=Look.LINES,
            runbook="FtcSigningKeyFailure",
            width=5,
        ),
        Chart(
            title="Registry",
            answers="How many pushes and pulls were there, and how did they end?",
            queries=(
                Query(
                    f"sum by (operation, outcome) (increase(ftc_registry_operations_total{{{PROJECT}}}{_STEP}))",
                    "{{operation}} {{outcome}}",
                ),
            ),
            look=Look.BARS,
            runbook="FtcRegistryFailures",
            width=5,
        ),
        Chart(
            title="Time of the registry",
            answers="How long did pushes and pulls take in all?",
            queries=(
                Query(f"sum by (operation) (increase(ftc_registry_seconds_sum{{{PROJECT}}}{_STEP}))", "{{operation}}"),
            ),
            look=Look.BARS,
            unit="s",
            runbook="FtcRegistryFailures",
            width=4,
        ),
        Chart(
            title="Permission denied",
            answers="How often was permission denied, and by what?",
            queries=(
                Query(f"sum by (service) (increase(ftc_permission_errors_total{{{PROJECT}}}{_STEP}))", "{{service}}"),
            ),
            look=Look.BARS,
            runbook="FtcPermissionErrors",
            width=5,
        ),
    ),
)


def _burn(title: str, answers: str, record: str, target: float, alert: str) -> Chart:
    """Return the panel of an objective's budget: what its alerts look at, in all of their windows."""
    budget = 1 - target
    return Chart(
        title=title,
        answers=f"{answers}  At 14.4 times the budget of {budget:.1%}, it is spent in two days.",
        queries=tuple(
            Query(f"{record}:ratio_rate{window}{{{PROJECT}}}", f"{{{{project}}}} in {window}")
            for window in BURN_WINDOWS
        ),
        look=Look.LINES,
        unit="percentunit",
        steps=((None, "green"), (round(budget, 9), "orange"), (round(14.4 * budget, 9), "red")),
        runbook=alert,
        width=12,
    )


_BUDGETS = Row(
    title="Are budgets being spent?",
    charts=(
        _burn(
            "Control builds that fail",
            "Which share of the control builds fails, in each window of the alerts?",
            "project:ftc_builds_failed",
            Targets().build_success,
            "FtcBuildSuccessBurnsFast",
        ),
        _burn(
            "Verdicts that are mismatches",
            "Which share of the verdicts is a mismatch, in each window of the alerts?",
            "project:ftc_verdicts_mismatched",
            Targets().reproducible,
            "FtcReproducibleShareBurnsFast",
        ),
    ),
)
_BUILDS = Row(
    title="Do builds work?",
    charts=(
        Chart(
            title="Builds that do not succeed",
            answers="Which share of the builds failed, timed out or was lost?",
            queries=(
                Query(
                    f'sum by (project) (increase(ftc_builds_total{{{PROJECT}, outcome!="ok"}}{_STEP}))'
                    f" / (sum by (project) (increase(ftc_builds_total{{{PROJECT}}}{_STEP})) > 0)",
                    "{{project}}",
                ),
            ),
            look=Look.LINES,
            unit="percentunit",
            runbook="FtcBuildSuccessBurnsFast",
            steps=((None, "green"), (0.005, "orange"), (0.05, "red")),
        ),
        Chart(
            title="Tried again",
            answers="How many attempts were repeated, and for which transient fault?",
            queries=(Query(f"sum by (reason) (increase(ftc_build_retries_total{{{PROJECT}}}{_STEP}))", "{{reason}}"),),
            look=Look.BARS,
            runbook="FtcBuildsRetried",
        ),
        Chart(
            title="Verdicts from the cache",
            answers="Which share of the lookups found a verdict?",
            queries=(
                Query(
                    f"sum by (project) (increase(ftc_cache_hits_total{{{PROJECT}}}{_STEP}))"
                    f" / (sum by (project) (increase(ftc_cache_hits_total{{{PROJECT}}}{_STEP}))"
                    f" + sum by (project) (increase(ftc_cache_misses_total{{{PROJECT}}}{_STEP})) > 0)",
                    "{{project}}",
                ),
            ),
            look=Look.LINES,
            unit="percentunit",
            steps=((None, "red"), (0.85, "green")),
            top=1,
            runbook="FtcCacheHitRateFalls",
        ),
    ),
)
ON_CALL = Board(
    uid="ftc-on-call",
    title="ftc: on call",
    answers="Which alerts fire, and what do their numbers look like?",
    span="now-6h",
    rows=(_NOW, _BUDGETS, _SESSIONS, _SERVICES, _BUILDS),
)
