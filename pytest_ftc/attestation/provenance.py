"""SLSA Provenance, version 1: from what, how and by whom the outputs of an artifact were built.

See https://slsa.dev/spec/v1.0/provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pytest_ftc.attestation.statement import Statement, subjects_of
from pytest_ftc.model import Verification
from pytest_ftc.model.build_inputs import BuildInputs
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.valid_text import valid_text

PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://pypi.org/project/pytest-ftc/#build/v1"
"""docs/evidence.md describes its parameters."""
BOOT = "kernel boot"
"""The name of the byproduct that identifies the running kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Who built and attests."""

    id: str
    """A URI."""
    version: str
    """Of pytest-ftc."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """The fields of provenance that belong to one run: two runs over the same inputs differ in them alone."""

    id: str
    started: float
    """Seconds since 1970."""
    finished: float


def make_provenance(verification: Verification, builder: Builder, invocation: Invocation) -> Statement:
    """Return the provenance of the outputs of `verification`.

    Raises FtcError when there is no output, or when the inputs were not recorded.
    """
    inputs = verification.inputs
    if inputs is None:
        raise FtcError(
            f"{verification.name}: no provenance: its inputs were not recorded",
            advice="verify it again with --ftc-no-cache",
        )
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": _external_parameters(verification, inputs),
            "internalParameters": _internal_parameters(inputs),
            "resolvedDependencies": list_dependencies(inputs),
        },
        "runDetails": {
            "builder": {"id": builder.id, "version": {"pytest-ftc": builder.version}},
            "metadata": {
                "invocationId": invocation.id,
                "startedOn": timestamp(invocation.started),
                "finishedOn": timestamp(invocation.finished),
            },
            **({"byproducts": [{"name": BOOT, "digest": {"sha256": inputs.host.boot}}]} if inputs.host.boot else {}),
        },
    }
    return Statement(subjects_of(verification), PROVENANCE_TYPE, predicate)


def list_dependencies(inputs: BuildInputs) -> list[dict[str, Any]]:
    """Return `inputs` as ResourceDescriptors: the source tree, its commit, the toolchain, the distributions."""
    source = {
        "name": "source tree",
        "digest": {"sha256": inputs.source.partition("/")[0]},
        "annotations": {"digestOf": "build.bazel.remote.execution.v2.Directory"},
    }
    commit = {
        "name": "git commit",
        "digest": {"gitCommit": inputs.commit},
        "annotations": {"sourceDiffers": inputs.dirty},
    }
    tools = [{"name": valid_text(path), "digest": {"sha256": digest}} for path, digest in sorted(inputs.tools.items())]
    requirements = {"name": "build requirements", "digest": {"sha256": inputs.requirements}}
    distributions = [
        {"name": name, "uri": f"pkg:pypi/{name}@{version}"} for name, version in sorted(inputs.distributions.items())
    ]
    return [
        source,
        *([commit] if inputs.commit else []),
        *tools,
        *([requirements] if inputs.requirements else []),
        *distributions,
    ]


def timestamp(seconds: float) -> str:
    """Return `seconds` since 1970 as RFC 3339 text, in UTC and whole seconds."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _external_parameters(verification: Verification, inputs: BuildInputs) -> Mapping[str, Any]:
    return {
        "artifact": verification.id,
        "command": [valid_text(word) for word in inputs.command],
        "before": inputs.before,
        "after": inputs.after,
        "outputs": list(inputs.outputs),
        "preset": inputs.preset,
        "sourceDateEpoch": inputs.source_date_epoch,
        "variables": dict(inputs.variables),
    }


def _internal_parameters(inputs: BuildInputs) -> Mapping[str, Any]:
    host = {"kernel": inputs.host.kernel, "image": inputs.host.image, "machine": inputs.host.machine}
    return {"platform": list(inputs.platform), **{name: value for name, value in host.items() if value}}
