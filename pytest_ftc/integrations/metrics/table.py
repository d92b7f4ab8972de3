"""The catalogue of metrics.  The documentation, the ways out and the rules follow from it.

Names, units and types are those of Prometheus, see https://prometheus.io/docs/practices/naming/.  Every series has the
label ``project``, so that one query can compare projects; no label holds a digest, a path or a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pytest_ftc.model.build import BuildStatus, Role
from pytest_ftc.model.timing.totals import GROUPS
from pytest_ftc.model.verification import Verdict

PROJECT = "project"
"""The label of every series: the name of the project."""
ARTIFACT = "artifact"
"""The label of what is measured for each artifact: its name."""


class Kind(str, Enum):
    """How a metric behaves over time."""

    COUNTER = "counter"
    """It only grows, over all sessions of a project on a machine."""
    GAUGE = "gauge"
    """Its last value counts."""
    HISTOGRAM = "histogram"
    """Counters of how many values were at most as large as each of its bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: what it is called, and which question it answers."""

    name: str
    unit: str
    """What is counted or measured: ``seconds``, ``bytes``, ``builds``; ``yes or no`` for 1 or 0."""
    kind: Kind
    answers: str
    """The question it answers, for the documentation and the HELP of the text format."""
    labels: tuple[str, ...] = (PROJECT,)
    values: tuple[tuple[str, ...], ...] = ()
    """Where they are known from the start: all values of the labels other than project and artifact, in their order.

    Such counters begin with 0, so that `increase()` sees the first event too.
    """
    buckets: tuple[float, ...] = ()
    """The upper bounds of a histogram, without infinity."""
    elsewhere: bool = False
    """Whether the total of this counter is kept elsewhere, such as by the store, and not added up here."""


_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""From the quickest scripts to an hour; 120 is there for the objective of verification time."""
_BUILD_OUTCOMES = tuple(status.value for status in BuildStatus)
_TIERS = (("local",), ("remote",))
RETRY_REASONS = ("killed", "memory", "disk", "network", "server", "lost", "other")
"""Why a build was tried again."""


def _every(*values: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return all combinations of the `values` of labels."""
    found: tuple[tuple[str, ...], ...] = ((),)
    for names in values:
        found = tuple((*one, name) for one in found for name in names)
    return found


def _counter(
    name: str, unit: str, answers: str, labels: tuple[str, ...] = (), values: tuple[tuple[str, ...], ...] = ()
) -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.COUNTER, answers=answers, labels=(PROJECT, *labels), values=values)


def _gauge(
    name: str, unit: str, answers: str, labels: tuple[str, ...] = (), values: tuple[tuple[str, ...], ...] = ()
) -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.GAUGE, answers=answers, labels=(PROJECT, *labels), values=values)


def _histogram(
    name: str, answers: str, labels: tuple[str, ...] = (), values: tuple[tuple[str, ...], ...] = ()
) -> Metric:
    return Metric(
        name=name,
        unit="seconds",
        kind=Kind.HISTOGRAM,
        answers=answers,
        labels=(PROJECT, *labels),
        values=values,
        buckets=_SECONDS,
    )


SESSIONS = _counter(
    "ftc_sessions_total",
    "sessions",
    "How many sessions have ended, and how?",
    ("outcome",),
    _every(("passed", "failed", "interrupted", "error")),
)
SESSION_ACTIVE = _gauge("ftc_session_active", "yes or no", "Is a session running, or was one killed?")
SESSION_PROGRESS = _gauge(
    "ftc_session_progress_timestamp_seconds", "seconds since 1970", "When did the session last begin or end something?"
)
SESSION_END = _gauge("ftc_session_end_timestamp_seconds", "seconds since 1970", "When did the last session end?")
BUILD_TIMEOUT = _gauge(
    "ftc_build_timeout_seconds", "seconds", "How long may one build of the running session take at most?"
)
QUEUE_DEPTH = _gauge("ftc_queue_depth", "builds", "How many builds and artifacts wait for their turn now?")
BUILDS_RUNNING = _gauge("ftc_builds_running", "builds", "How many builds run now?")

BUILDS = _counter(
    "ftc_builds_total",
    "builds",
    "How many builds have ended, in which role and how?",
    ("role", "outcome"),
    _every(tuple(role.value for role in Role), _BUILD_OUTCOMES),
)
ATTEMPTS = _counter("ftc_build_attempts_total", "attempts", "How many attempts did the builds take?", values=((),))
RETRIES = _counter(
    "ftc_build_retries_total",
    "attempts",
    "How many attempts were repeated, and for which transient fault?",
    ("reason",),
    _every(RETRY_REASONS),
)
BUILD_SECONDS = _histogram("ftc_build_seconds", "How long does a build of each artifact take?", (ARTIFACT,), ((),))
QUEUE_SECONDS = _histogram("ftc_queue_seconds", "How long do builds wait before they start?", values=((),))
VERIFICATION_SECONDS = _histogram(
    "ftc_verification_seconds",
    "How long does the verification of an artifact take, from the cache and by building?",
    ("cached",),
    _every(("true", "false")),
)
PHASE_SECONDS = _counter(
    "ftc_phase_seconds_total",
    "seconds",
    "Where does the time of each artifact's verifications go?",
    (ARTIFACT, "phase"),
    _every(tuple(GROUPS)),
)
CPU_SECONDS = _counter(
    "ftc_build_cpu_seconds_total",
    "CPU seconds",
    "How much CPU time do the builds of an artifact use?",
    (ARTIFACT,),
    ((),),
)
OUTPUT_BYTES = _counter(
    "ftc_output_bytes_total", "bytes", "How much do the builds of an artifact leave?", (ARTIFACT,), ((),)
)
COST = _counter(
    "ftc_verification_cost_total",
    "the currency",
    "What has the verification of an artifact cost, by the prices of [tool.ftc.cost]?",
    (ARTIFACT, "currency"),
)

VERDICTS = _counter(
    "ftc_verdicts_total",
    "verdicts",
    "How many verdicts were there, of which kind, from builds or from the cache?",
    (ARTIFACT, "verdict", "cached"),
    _every(tuple(verdict.value for verdict in Verdict), ("true", "false")),
)
REPRODUCIBLE = _gauge(
    "ftc_artifact_reproducible",
    "yes or no",
    "Was the artifact reproducible when that was last decided?",
    (ARTIFACT,),
)
CRITICAL = _gauge("ftc_artifact_critical", "yes or no", "Is the artifact declared critical?", (ARTIFACT,))
VERIFIED = _gauge(
    "ftc_artifact_verified_timestamp_seconds",
    "seconds since 1970",
    "When was the artifact last built and found reproducible?",
    (ARTIFACT,),
)
MISMATCHES = _counter(
    "ftc_mismatches_total", "outputs", "How many outputs differed between builds?", (ARTIFACT,), ((),)
)
FINDINGS = _counter("ftc_findings_total", "findings", "Which causes make outputs differ?", ("cause",))
SECRET_LEAKS = _gauge(
    "ftc_artifact_secret_leaks",
    "leaks",
    "How many secrets did the last verification find in outputs or logs?",
    (ARTIFACT,),
)
SAMPLED_OUT = _counter(
    "ftc_sampled_out_total", "artifacts", "How many verifications did sampling leave out?", values=((),)
)

CACHE_HITS = _counter("ftc_cache_hits_total", "lookups", "How many lookups found a verdict?", ("tier",), _TIERS)
CACHE_MISSES = _counter("ftc_cache_misses_total", "lookups", "How many lookups found none?", ("tier",), _TIERS)
CACHE_EVICTIONS = Metric(
    name="ftc_cache_evictions_total",
    unit="entries",
    kind=Kind.COUNTER,
    answers="How many entries has the collection of garbage removed?",
    labels=(PROJECT, "tier"),
    elsewhere=True,
)
CACHE_BYTES = _gauge("ftc_cache_bytes", "bytes", "How much does the store hold?", ("tier",))
CACHE_ENTRIES = _gauge("ftc_cache_entries", "entries", "How many verdicts does the store hold?", ("tier",))
CACHE_CORRUPT = _gauge("ftc_cache_corrupt", "files", "How many corrupt files are in quarantine?", ("tier",))
CACHE_TRANSFERRED = _counter(
    "ftc_cache_transferred_bytes_total",
    "bytes",
    "How much was moved between the local and the remote store?",
    ("direction",),
    _every(("received", "sent")),
)
STORE_WRITES = _counter(
    "ftc_store_writes_total",
    "writes",
    "How many writes to the store succeeded and failed?",
    ("outcome",),
    _every(("ok", "failed")),
)
STORE_UP = _gauge("ftc_store_up", "yes or no", "Could the last session use the store?")
BREAKER_OPEN = _gauge(
    "ftc_breaker_open", "yes or no", "Is a service left alone because it failed too often?", ("service",)
)
PERMISSION_ERRORS = _counter(
    "ftc_permission_errors_total",
    "errors",
    "How often was permission denied, and by what?",
    ("service",),
    _every(("store", "signer", "registry")),
)

SIGNINGS = _counter(
    "ftc_signings_total",
    "documents",
    "How many attestations were signed, and how many not?",
    ("outcome",),
    _every(("signed", "failed")),
)
SIGNING_QUEUE = _gauge("ftc_signing_queue_length", "documents", "How many attestations wait for a signature?")
REGISTRY_OPERATIONS = _counter(
    "ftc_registry_operations_total",
    "operations",
    "How many artifacts were pushed and pulled, and how did that end?",
    ("operation", "outcome"),
    _every(("push", "pull"), ("ok", "refused", "failed")),
)
REGISTRY_SECONDS = _histogram(
    "ftc_registry_seconds", "How long does it take to push and pull?", ("operation",), _every(("push", "pull"))
)
INFO = _gauge("ftc_info", "always 1", "Which version of pytest-ftc is in use?", ("version",))

TABLE = (
    SESSIONS,
    SESSION_ACTIVE,
    SESSION_PROGRESS,
    SESSION_END,
    BUILD_TIMEOUT,
    QUEUE_DEPTH,
    BUILDS_RUNNING,
    BUILDS,
    ATTEMPTS,
    RETRIES,
    BUILD_SECONDS,
    QUEUE_SECONDS,
    VERIFICATION_SECONDS,
    PHASE_SECONDS,
    CPU_SECONDS,
    OUTPUT_BYTES,
    COST,
    VERDICTS,
    REPRODUCIBLE,
    CRITICAL,
    VERIFIED,
    MISMATCHES,
    FINDINGS,
    SECRET_LEAKS,
    SAMPLED_OUT,
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_EVICTIONS,
    CACHE_BYTES,
    CACHE_ENTRIES,
    CACHE_CORRUPT,
    CACHE_TRANSFERRED,
    STORE_WRITES,
    STORE_UP,
    BREAKER_OPEN,
    PERMISSION_ERRORS,
    SIGNINGS,
    SIGNING_QUEUE,
    REGISTRY_OPERATIONS,
    REGISTRY_SECONDS,
    INFO,
)
"""All metrics, in the order of the documentation."""
BY_NAME = {metric.name: metric for metric in TABLE}
