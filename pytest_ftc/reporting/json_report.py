"""report.json, version 1; its schema is report-v1.schema.json beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftc.model import BuildResult, Difference, Finding, Output, Verification
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.model.support.valid_text import valid_values
from pytest_ftc.model.timing.phase import Phase
from pytest_ftc.model.timing.work import count_work
from pytest_ftc.reporting.baseline.state import Accepted, is_accepted, new_first


def report(
    verifications: Sequence[Verification],
    tool: Mapping[str, Any],
    session: Mapping[str, Any],
    known: Accepted = None,
) -> dict[str, Any]:
    """Return the report as JSON values, with all text valid Unicode; `known` findings follow new ones."""
    document = {
        "version": 1,
        "tool": dict(tool),
        "session": {**session, "work": to_json(count_work(verifications))},
        "artifacts": [_artifact(verification, known) for verification in verifications],
    }
    return valid_values(document)  # type: ignore[no-any-return]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the report."""
    from importlib.resources import files

    text = files("pytest_ftc.reporting").joinpath("report-v1.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _artifact(verification: Verification, known: Accepted) -> dict[str, Any]:
    return {
        "id": verification.id,
        "name": verification.name,
        "tags": list(verification.tags),
        "owner": verification.owner,
        "verdict": verification.verdict.value,
        "reason": verification.reason,
        "cached": verification.cached,
        "agreement": to_json(verification.agreement),
        "seconds": round(verification.seconds, 3),
        "varied": list(verification.varied),
        "not_varied": to_json(verification.not_varied),
        "builds": [_build(build) for build in verification.builds],
        "differences": [_difference(difference) for difference in verification.differences],
        "findings": [_finding(verification, finding, known) for finding in new_first(verification, known)],
        "kept": to_json(verification.kept),
        "leaks": list(verification.leaks),
        "hermeticity": list(verification.hermeticity),
        "flaky": list(verification.flaky),
        "notes": list(verification.notes),
        "phases": [_phase(phase) for phase in verification.phases],
    }


def _finding(verification: Verification, finding: Finding, known: Accepted) -> dict[str, Any]:
    state = {} if known is None else {"new": not is_accepted(verification, finding, known)}
    return {**to_json(finding), **state}


def _phase(phase: Phase) -> dict[str, Any]:
    started, seconds = round(phase.started, 6), round(phase.seconds, 6)
    return {**to_json(phase), "started": started, "seconds": max(0.0, seconds)}


def _build(build: BuildResult) -> dict[str, Any]:
    return {
        "id": build.id,
        "role": build.role.value,
        "environment": dict(build.environment),
        "status": build.status.value,
        "exit_code": build.exit_code,
        "reason": build.reason,
        "attempts": build.attempts,
        "failed_before": list(build.failed_before),
        "lost_before": list(build.lost_before),
        **({"worker": build.worker} if build.worker else {}),
        **({} if build.cpu_seconds is None else {"cpu_seconds": build.cpu_seconds}),
        **({"host": _host(build.host)} if build.host else {}),
        **({"tools": dict(build.tools)} if build.tools else {}),
        "started": build.started,
        "seconds": round(build.seconds, 3),
        **({"no_gap": build.no_gap} if build.no_gap else {}),
        "queue_seconds": round(build.queue_seconds, 3),
        "log": build.log,
        "outputs": [_output(output) for output in build.outputs],
    }


def _host(host: Host) -> dict[str, str]:
    return {"kernel": host.kernel, "image": host.image, "cpu": host.cpu}


def _output(output: Output) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": output.path, "type": output.type.value, "mode": output.mode}
    if output.type.value == "file":
        return {**entry, "size": output.size, "sha256": output.sha256}
    return {**entry, "target": output.target} if output.type.value == "symlink" else entry


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "output": difference.output,
        "kind": difference.kind.value,
        "member": difference.member,
        "location": difference.location,
        "evidence": to_json(difference.evidence),
        "diff": difference.diff,
        "note": difference.note,
        "numbers": difference.numbers,
    }
