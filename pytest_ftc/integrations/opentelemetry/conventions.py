"""The catalogue of spans and their attributes.  What is exported and the documentation follow from it.

Names are those of the semantic conventions where they have one, see https://opentelemetry.io/docs/specs/semconv/; all
others begin with ``ftc.``.  A span has the name of its kind, so that there are few names; attributes tell artifacts
apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model.timing.phase import PhaseKind

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
"""The version of the semantic conventions that the names are from."""
SESSION = "session"
"""The kind of the span of a whole session; all others are those of phases."""

TASK_NAME = "cicd.pipeline.task.name"
TASK_RUN_ID = "cicd.pipeline.task.run.id"
TASK_RESULT = "cicd.pipeline.task.run.result"
TASK_TYPE = "cicd.pipeline.task.type"
ERROR_TYPE = "error.type"
PROCESS = "process.pid"


@dataclass(frozen=True, slots=True)
class SpanKind:
    """What a span is about."""

    name: str
    covers: str
    task: str = ""
    """Its ``cicd.pipeline.task.type``, if it is a task: ``build`` or ``test``."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of spans."""

    name: str
    means: str
    spans: tuple[str, ...]
    """The kinds of the spans that have it."""
    given: str = ""
    """What the phase calls it; empty for what is made from the rest."""


SPANS = (
    SpanKind(SESSION, "a whole session, with all its processes, or a command", "test"),
    SpanKind(PhaseKind.ARTIFACT.value, "the verification of one artifact", "test"),
    SpanKind(PhaseKind.QUEUE.value, "an artifact or a build waits until it may run"),
    SpanKind(PhaseKind.PREPARE.value, "sources are captured, and requirements installed"),
    SpanKind(PhaseKind.PLAN.value, "the environments of the builds are chosen"),
    SpanKind(PhaseKind.SETUP.value, "the environment of a build is set up"),
    SpanKind(PhaseKind.GAP.value, "a build waits, so that two do not start in the same second"),
    SpanKind(PhaseKind.BUILD.value, "one build with all its attempts", "build"),
    SpanKind(PhaseKind.ATTEMPT.value, "one attempt at a build"),
    SpanKind(PhaseKind.EXECUTE.value, "a farm has an attempt: its queue, its worker, the transfers"),
    SpanKind(PhaseKind.COMPARE.value, "outputs are compared"),
    SpanKind(PhaseKind.DIAGNOSE.value, "a difference is explained"),
    SpanKind(PhaseKind.STORE_GET.value, "a verdict is looked up in the cache"),
    SpanKind(PhaseKind.STORE_PUT.value, "a verdict and its outputs are added to the cache"),
    SpanKind(PhaseKind.SIGN.value, "an attestation is signed"),
    SpanKind(PhaseKind.PUBLISH.value, "outputs and attestations are published"),
)
"""All spans, in the order of the documentation."""
TASKS = {kind.name: kind.task for kind in SPANS if kind.task}

_ARTIFACT, _BUILD, _ATTEMPT = PhaseKind.ARTIFACT.value, PhaseKind.BUILD.value, PhaseKind.ATTEMPT.value
_QUEUE, _EXECUTE, _DIAGNOSE = PhaseKind.QUEUE.value, PhaseKind.EXECUTE.value, PhaseKind.DIAGNOSE.value
_BUILDS = (_BUILD, _ATTEMPT)

ATTRIBUTES = (
    Attribute(TASK_NAME, "`ftc` and the command, the name of the artifact, or the role of the build", tuple(TASKS)),
    Attribute(TASK_TYPE, "`test` or `build`", tuple(TASKS)),
    Attribute(TASK_RUN_ID, "the ID of the session, the artifact or the build", tuple(TASKS)),
    Attribute(TASK_RESULT, "`success`, `failure`, `error`, `timeout` or `cancellation`", tuple(TASKS)),
    Attribute(ERROR_TYPE, "why it failed: a verdict, a status, the class of an error", ("all that failed",)),
    Attribute(PROCESS, "the process that did it: with pytest-xdist, a worker", ("all",)),
    Attribute("cicd.worker.id", "the worker of a farm, as the farm calls it", (_BUILD, _ATTEMPT, _EXECUTE), "worker"),
    Attribute(
        "artifact.hash",
        "the SHA-256 of the only output, where it is reproducible",
        (_ARTIFACT,),
        "output_sha256",
    ),
    Attribute("artifact.filename", "where that output is", (_ARTIFACT,), "output"),
    Attribute("ftc.artifact.name", "the name of the artifact", (_ARTIFACT, _BUILD, _QUEUE), "artifact"),
    Attribute("ftc.artifact.id", "where the artifact is declared", (_ARTIFACT,), "id"),
    Attribute("ftc.artifact.verdict", "the verdict", (_ARTIFACT,), "verdict"),
    Attribute("ftc.artifact.cached", "whether the verdict is that of an earlier session", (_ARTIFACT,), "cached"),
    Attribute("ftc.build.id", "the build, as in `report.json`", _BUILDS),
    Attribute("ftc.build.role", "`control`, `experiment`, `repeat`, `bisect` or `remedy`", (_BUILD,), "role"),
    Attribute("ftc.build.status", "`ok`, `failed`, `timeout` or `lost`", _BUILDS, "status"),
    Attribute("ftc.build.attempts", "how often it was tried", (_BUILD,), "attempts"),
    Attribute("ftc.build.attempt", "which attempt it is, from 1", (_ATTEMPT,), "number"),
    Attribute("ftc.build.queue_seconds", "seconds that it waited for a free job or worker", _BUILDS, "queue_seconds"),
    Attribute("ftc.build.command_started", "when its command started, seconds since 1970", _BUILDS, "command_started"),
    Attribute("ftc.build.command_seconds", "how long its command ran", _BUILDS, "command_seconds"),
    Attribute("process.exit.code", "the exit status of its command", _BUILDS, "exit_code"),
    Attribute("ftc.prepare.what", "`records` where it is what a replay needs", (PhaseKind.PREPARE.value,), "what"),
    Attribute("ftc.store.found", "whether there was a verdict", (PhaseKind.STORE_GET.value,), "found"),
    Attribute("ftc.execute.executions", "how often the farm was asked", (_EXECUTE,), "executions"),
    Attribute("ftc.diagnose.mode", "`fast` or `full`", (_DIAGNOSE,), "mode"),
    Attribute("ftc.diagnose.builds", "how many builds it took", (_DIAGNOSE,), "builds"),
    Attribute("ftc.sign.signer", "the kind of the signer, not its key", (PhaseKind.SIGN.value,), "signer"),
    Attribute("ftc.session.command", "`verify` for a session of pytest, `attest` or `publish`", (SESSION,), "command"),
    Attribute("ftc.session.outcome", "`passed`, `failed`, `interrupted` or `error`", (SESSION,), "outcome"),
    Attribute("ftc.session.artifacts", "how many artifacts have a verdict", (SESSION,), "artifacts"),
)
"""All attributes of spans."""
_OF_PHASES = {(kind, one.given): one.name for one in ATTRIBUTES if one.given for kind in one.spans}


def attribute_of(kind: str, given: str) -> str:
    """Return the name of the attribute that a phase of `kind` calls `given`."""
    return _OF_PHASES.get((kind, given)) or f"ftc.{kind.replace(' ', '_')}.{given}"
