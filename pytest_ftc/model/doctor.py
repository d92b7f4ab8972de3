"""The result of examining a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationState:
    """One variation on one machine."""

    name: str
    in_force: bool
    """Whether a program in a varied environment observed it."""
    mechanism: str
    reason: str
    """Why it is not active, and what to install or allow; empty if it is active."""
    milliseconds: float | None
    """Additional time to set up an environment; None if it is not active, and for a farm, where calls take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmState:
    """What a server of the Remote Execution API says of itself, and what was tried there."""

    server: str
    """``grpc://HOST:PORT``, or ``grpcs://`` with TLS."""
    instance: str
    """The server's name for the farm; empty if it needs none."""
    api_version: str
    """The highest version of the API that it speaks."""
    digest_functions: tuple[str, ...]
    """Names, as in the API; one of them is ``SHA256``."""
    compressors: tuple[str, ...]
    """Names of the compressions that it offers for transfers."""
    compresses: bool
    """Whether this Python has the one that we use, and the server offers it."""
    batch_limit: int
    """Bytes that a call with several contents may have, as the server says; 0 if it knows no limit of its own."""
    batch_bytes: int
    """Bytes of contents that we put into such a call."""
    storage_problem: str
    """Why a content could not be stored and read back; empty if it was."""
    action_cache_problem: str
    """Why the action cache cannot be read; empty if it can."""
    updates_cache: bool
    """Whether the server says that clients may write to it."""
    properties: Mapping[str, str]
    """The platform properties that workers must have."""
    replicas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What those of controls and of experiments must have besides; empty if both may have any."""
    workers: tuple[str, ...] = ()
    """The names that the workers gave themselves; empty where the farm does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUp:
    """A machine, the variations it supports, and their cost."""

    machine: Machine
    """This one, or a worker of the farm."""
    control_milliseconds: float
    """Total time of an empty build in the control environment; with the calls, for a farm."""
    experiment_milliseconds: float
    """The same with everything varied."""
    variations: tuple[VariationState, ...]
    farm: FarmState | None = None
    """None for this machine."""
