"""The key of a cached verification: a digest of everything on which the artifact's outputs depend."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.model import Artifact, Machine, parameters_of
from pytest_ftc.model.protocols import Variation
from pytest_ftc.model.support.serialization import to_json

SCHEMA = 1
"""Changes if entries of earlier versions must no longer be reused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A lookup in the action cache: an action, with the requested variations and number of builds."""

    inputs: Mapping[str, str]
    """Digests of everything on which the outputs depend, by part, so that a change can be attributed."""
    asked: Mapping[str, str]
    """The requested variations, each with its parameters."""
    builds: int
    facilities: str
    """Digest of the machine's facilities: if it is unchanged, the same variations are impossible as before."""

    @property
    def action(self) -> str:
        """The digest of the action, in hexadecimal."""
        return _digest(dict(self.inputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInputs:
    """The inputs of an artifact's builds, apart from its declaration."""

    source: str
    """Digest of the source tree."""
    repository: str
    epoch: int | str | None
    tools: Mapping[str, str]
    passed: Mapping[str, str]
    """The variables that it gets from the environment."""
    reference: str
    environment: Mapping[str, object]
    platform: Sequence[str]


def describe_inputs(artifact: Artifact, inputs: ActionInputs, key: bytes) -> dict[str, str]:
    """Return digests of everything on which the outputs of `artifact` depend, by part.

    The digest of variables is keyed, so that values cannot be guessed from it without the `key`.
    """
    sockets = {"sockets": _digest(artifact.pass_sockets)} if artifact.pass_sockets else {}
    tolerance = {"tolerance": _digest(list(artifact.tolerance.items()))} if artifact.tolerance else {}
    variables = json.dumps([dict(artifact.env), dict(inputs.passed)], sort_keys=True).encode()
    return {
        "artifact": artifact.id,
        "command": _digest([artifact.build, artifact.preset, artifact.before, artifact.after]),
        "outputs": _digest([artifact.outputs, artifact.metadata.value]),
        **tolerance,
        **sockets,
        "source": inputs.source,
        "repository": _digest(inputs.repository),
        "epoch": str(inputs.epoch),
        "reference": inputs.reference,
        "toolchain": _digest(dict(inputs.tools)),
        "variables": hmac.new(key, b"variables\0" + variables, hashlib.sha256).hexdigest(),
        # Omit a field that is not set and that stores from before `source_mode` do not have.
        "environment": _digest({k: v for k, v in inputs.environment.items() if (k, v) != ("source_umask", None)}),
        "platform": _digest(list(inputs.platform)),
        "version": f"{__version__} {SCHEMA}",
    }


def describe_variations(variations: Sequence[Variation], effects: Mapping[str, str]) -> dict[str, str]:
    """Return the `variations` by name, each as text that changes with its parameters and its effect.

    `effects` are digests of the effects of plugins' variations; built-in ones change only with our version.
    """
    return {
        variation.name: json.dumps(_parameters(variation), sort_keys=True) + effects.get(variation.name, "")
        for variation in variations
    }


def describe_facilities(machine: Machine) -> str:
    """Return a digest of what `machine` offers to vary."""
    # One CPU cannot be varied; with more, their number does not matter.
    cpus = 1 if machine.cpus == 1 else 0
    text = json.dumps(to_json(replace(machine, work_dir="", cpus=cpus, compiled_locales="")), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _parameters(variation: Variation) -> dict[str, Any]:
    return {name: to_json(getattr(variation, name)) for name in parameters_of(variation)}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
