"""The dashboard for those who ask why one artifact is slow, or fails."""

from __future__ import annotations

from panels import ARTIFACT, PROJECT, Board, Chart, Look, Query, Row

_STEP = "[$__rate_interval]"


def _per(label: str, metric: str, selected: str = PROJECT) -> Query:
    """Return the query for how much the counter `metric` grew, by `label`."""
    legend = " ".join(f"{{{{{name}}}}}" for name in label.split(", "))
    return Query(f"sum by ({label}) (increase({metric}{{{selected}}}{_STEP}))", legend)


def _mean(metric: str, label: str, selected: str) -> Query:
    """Return the query for the mean of the histogram `metric` in the time that is shown, by `label`."""
    total, count = (
        f"sum by ({label}) (increase({metric}_{part}{{{selected}}}[$__range]))" for part in ("sum", "count")
    )
    return Query(f"{total} / ({count} > 0)", f"mean {{{{{label}}}}}")


def _quantile(share: float, metric: str, label: str, selected: str) -> Query:
    buckets = f"sum by (le, {label}) (increase({metric}_bucket{{{selected}}}[$__range]))"
    return Query(f"histogram_quantile({share}, {buckets}) >= 0", f"P{share * 100:.0f} {{{{{label}}}}}")


_VERDICTS = Row(
    title="What was decided?",
    charts=(
        Chart(
            title="Verdicts of each artifact",
            answers="How often was each artifact decided, and how?",
            queries=(
                Query(
                    "sum by (project, artifact, verdict, cached)"
                    f" (increase(ftc_verdicts_total{{{ARTIFACT}}}[$__range])) > 0"
                ),
            ),
            look=Look.TABLE,
            width=12,
            height=8,
        ),
        Chart(
            title="Outputs that differ",
            answers="How many outputs differed between builds?",
            queries=(_per("artifact", "ftc_mismatches_total", ARTIFACT),),
            look=Look.BARS,
            steps=((None, "green"), (1.0, "red")),
            runbook="FtcMismatchInCriticalArtifact",
            width=6,
            height=8,
        ),
        Chart(
            title="Causes",
            answers="Which causes make outputs differ?",
            queries=(Query(f"sum by (cause) (ftc_findings_total{{{PROJECT}}}) > 0", "{{cause}}"),),
            look=Look.GAUGES,
            width=6,
            height=8,
        ),
    ),
)
_TIMES = Row(
    title="Where does the time go?",
    charts=(
        Chart(
            title="Phases",
            answers="Where does the time of verifications go?",
            queries=(_per("phase", "ftc_phase_seconds_total", ARTIFACT),),
            look=Look.BARS,
            unit="s",
            width=12,
            height=8,
        ),
        Chart(
            title="Builds",
            answers="How long does a build of each artifact take?",
            queries=(
                _quantile(0.95, "ftc_build_seconds", "artifact", ARTIFACT),
                _mean("ftc_build_seconds", "artifact", ARTIFACT),
            ),
            look=Look.GAUGES,
            unit="s",
            width=6,
            height=8,
        ),
        Chart(
            title="Verifications",
            answers="How long does a verification take, from the cache and by building?",
            queries=(
                _quantile(0.95, "ftc_verification_seconds", "cached", PROJECT),
                _mean("ftc_verification_seconds", "cached", PROJECT),
            ),
            look=Look.GAUGES,
            unit="s",
            steps=((None, "green"), (60.0, "orange"), (120.0, "red")),
            width=6,
            height=8,
        ),
        Chart(
            title="CPU time",
            answers="How much CPU time do the builds of each artifact use?",
            queries=(_per("artifact", "ftc_build_cpu_seconds_total", ARTIFACT),),
            look=Look.BARS,
            unit="s",
            width=12,
            height=8,
        ),
        Chart(
            title="Waiting",
            answers="How long do builds wait before they start?",
            queries=(
                _quantile(0.95, "ftc_queue_seconds", "project", PROJECT),
                _mean("ftc_queue_seconds", "project", PROJECT),
            ),
            look=Look.GAUGES,
            unit="s",
            width=12,
            height=8,
        ),
    ),
)
_BUILDS = Row(
    title="How do builds end?",
    charts=(
        Chart(
            title="Builds by role and outcome",
            answers="How many builds have ended, in which role and how?",
            queries=(_per("role, outcome", "ftc_builds_total"),),
            look=Look.BARS,
        ),
        Chart(
            title="Attempts",
            answers="How many attempts did builds take, and how many of them were repeated?",
            queries=(
                Query(f"sum(increase(ftc_build_attempts_total{{{PROJECT}}}{_STEP}))", "attempts"),
                _per("reason", "ftc_build_retries_total"),
            ),
            look=Look.LINES,
        ),
        Chart(
            title="What builds leave",
            answers="How much do the builds of each artifact leave?",
            queries=(_per("artifact", "ftc_output_bytes_total", ARTIFACT),),
            look=Look.BARS,
            unit="bytes",
        ),
    ),
)
_CACHE = Row(
    title="What does the cache do?",
    charts=(
        Chart(
            title="Lookups by tier",
            answers="How many lookups found a verdict, and how many did not?",
            queries=(
                Query(f"sum by (tier) (increase(ftc_cache_hits_total{{{PROJECT}}}{_STEP}))", "{{tier}}: hits"),
                Query(f"sum by (tier) (increase(ftc_cache_misses_total{{{PROJECT}}}{_STEP}))", "{{tier}}: misses"),
            ),
            look=Look.BARS,
            width=6,
        ),
        Chart(
            title="Size",
            answers="How much does the store hold?",
            queries=(Query(f"sum by (project, tier) (ftc_cache_bytes{{{PROJECT}}})", "{{project}} {{tier}}"),),
            look=Look.LINES,
            unit="bytes",
            width=6,
        ),
        Chart(
            title="Moved",
            answers="How much was moved between the local and the remote store?",
            queries=(_per("direction", "ftc_cache_transferred_bytes_total"),),
            look=Look.BARS,
            unit="bytes",
            width=6,
        ),
        Chart(
            title="Verdicts in the store",
            answers="How many verdicts does the store hold, and how many has the collection of garbage removed?",
            queries=(
                Query(f"sum by (project, tier) (ftc_cache_entries{{{PROJECT}}})", "{{project}} {{tier}} held"),
                Query(
                    f"sum by (project, tier) (ftc_cache_evictions_total{{{PROJECT}}})", "{{project}} {{tier}} removed"
                ),
            ),
            look=Look.LINES,
            width=6,
        ),
    ),
)
DEBUG = Board(
    uid="ftc-debug",
    title="ftc: debug",
    answers="Why is an artifact slow, why does it fail, and why was it not answered from the cache?",
    span="now-24h",
    rows=(_VERDICTS, _TIMES, _BUILDS, _CACHE),
    per_artifact=True,
)
