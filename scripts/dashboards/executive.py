"""The dashboard for those who ask whether it works, and what it costs."""

from __future__ import annotations

from panels import PROJECT, Board, Chart, Look, Query, Row

_CRITICAL = ((None, "red"), (1.0, "green"))
_RANGE = "[$__range]"


def _grown(metric: str, labels: str = "", by: str = "project") -> str:
    selected = f"{PROJECT}, {labels}" if labels else PROJECT
    return f"sum by ({by}) (increase({metric}{{{selected}}}{_RANGE}))"


def _budget(good: str, every: str, target: float, what: str) -> Query:
    """Return the query for how much of the failures that `target` allows has not happened yet, 1 being all."""
    left = f"1 - (1 - {good} / ({every} > 0)) / {round(1 - target, 6)}"
    return Query(left, f"{{{{project}}}}: {what}, {target * 100:g} %")


_HITS, _MISSES = _grown("ftc_cache_hits_total"), _grown("ftc_cache_misses_total")
_BUDGETS = (
    _budget(_grown("ftc_builds_total", 'outcome="ok"'), _grown("ftc_builds_total"), 0.995, "builds succeed"),
    _budget(
        _grown("ftc_store_writes_total", 'outcome="ok"'),
        _grown("ftc_store_writes_total"),
        0.999,
        "the store takes writes",
    ),
    _budget(
        _grown("ftc_verification_seconds_bucket", 'le=~"120|120.0"'),
        _grown("ftc_verification_seconds_count"),
        0.95,
        "verified within 2 minutes",
    ),
    _budget(_HITS, f"({_HITS} + {_MISSES})", 0.85, "verdicts from the cache"),
)

_NOW = Row(
    title="Is what we ship reproducible?",
    charts=(
        Chart(
            title="Reproducible share",
            answers="Which share of the artifacts was reproducible when that was last decided?",
            queries=(Query(f"avg(ftc_artifact_reproducible{{{PROJECT}}})"),),
            look=Look.NUMBER,
            unit="percentunit",
            steps=((None, "red"), (0.9, "orange"), (1.0, "green")),
            runbook="FtcMismatchInCriticalArtifact",
            width=6,
        ),
        Chart(
            title="Not reproducible",
            answers="Which artifacts were not reproducible when that was last decided?",
            queries=(Query(f"ftc_artifact_reproducible{{{PROJECT}}} == 0", "{{project}} {{artifact}}"),),
            look=Look.NUMBER,
            unit="bool_yes_no",
            steps=_CRITICAL,
            runbook="FtcMismatchInCriticalArtifact",
            width=6,
            nothing="none",
        ),
        Chart(
            title="Builds that succeed",
            answers="Which share of the builds ends well?  A build that ends well when it is tried again does.",
            queries=(
                Query(
                    f'sum(increase(ftc_builds_total{{{PROJECT}, outcome="ok"}}{_RANGE}))'
                    f" / (sum(increase(ftc_builds_total{{{PROJECT}}}{_RANGE})) > 0)"
                ),
            ),
            look=Look.NUMBER,
            unit="percentunit",
            steps=((None, "red"), (0.98, "orange"), (0.995, "green")),
            width=6,
        ),
        Chart(
            title="Longest time without verification",
            answers="How long ago was the artifact verified by building that waits longest?",
            queries=(Query(f"max(time() - ftc_artifact_verified_timestamp_seconds{{{PROJECT}}})"),),
            look=Look.NUMBER,
            unit="s",
            steps=((None, "green"), (7 * 86400.0, "orange"), (30 * 86400.0, "red")),
            width=6,
        ),
    ),
)
_OBJECTIVES = Row(
    title="Do we keep our objectives?",
    charts=(
        Chart(
            title="Budgets left in this time",
            answers="How much may still fail until an objective is missed?  1 is all, 0 is nothing, less is missed.",
            queries=_BUDGETS,
            look=Look.GAUGES,
            unit="percentunit",
            steps=((None, "red"), (0.0, "orange"), (0.25, "green")),
            width=12,
            height=8,
            top=1,
        ),
        Chart(
            title="Verdicts",
            answers="What was decided, and how often?",
            queries=(
                Query(f"sum by (verdict) (increase(ftc_verdicts_total{{{PROJECT}}}[$__rate_interval]))", "{{verdict}}"),
            ),
            look=Look.BARS,
            width=12,
            height=8,
        ),
    ),
)
_UNCACHED = f'{{{PROJECT}, cached="false"}}{_RANGE}'
_MONEY = Row(
    title="What does it cost, and what does it save?",
    charts=(
        Chart(
            title="Cost",
            answers="What have verifications cost, by the prices of [tool.ftc.cost]?",
            queries=(
                Query(
                    f"sum by (currency) (increase(ftc_verification_cost_total{{{PROJECT}}}{_RANGE}))", "{{currency}}"
                ),
            ),
            look=Look.NUMBER,
            unit="short",
            width=4,
        ),
        Chart(
            title="Dearest artifacts",
            answers="Which artifacts cost most?",
            queries=(
                Query(
                    "topk(10, sum by (project, artifact, currency)"
                    f" (increase(ftc_verification_cost_total{{{PROJECT}}}{_RANGE})))",
                    "{{project}} {{artifact}}, {{currency}}",
                ),
            ),
            look=Look.GAUGES,
            width=6,
        ),
        Chart(
            title="CPU time",
            answers="How much CPU time do builds use, by artifact?",
            queries=(
                Query(
                    f"sum by (artifact) (increase(ftc_build_cpu_seconds_total{{{PROJECT}}}[$__rate_interval]))",
                    "{{artifact}}",
                ),
            ),
            look=Look.BARS,
            unit="s",
            width=6,
        ),
        Chart(
            title="Left out",
            answers="How many verifications did sampling leave out?",
            queries=(Query(f"sum(increase(ftc_sampled_out_total{{{PROJECT}}}{_RANGE}))"),),
            look=Look.NUMBER,
            width=4,
        ),
        Chart(
            title="Time saved by the cache",
            answers="How much longer would verifications have taken if all had been built?",
            queries=(
                Query(
                    f"sum(increase(ftc_cache_hits_total{{{PROJECT}}}{_RANGE}))"
                    f" * sum(increase(ftc_verification_seconds_sum{_UNCACHED}))"
                    f" / (sum(increase(ftc_verification_seconds_count{_UNCACHED})) > 0)"
                ),
            ),
            look=Look.NUMBER,
            unit="s",
            width=4,
        ),
    ),
)
EXECUTIVE = Board(
    uid="ftc-executive",
    title="ftc: executive",
    answers="Are the artifacts reproducible, are objectives kept, and what does that cost?",
    span="now-7d",
    rows=(_NOW, _OBJECTIVES, _MONEY),
)
