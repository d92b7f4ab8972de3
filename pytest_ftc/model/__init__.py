"""The data: frozen dataclasses and enums.  Everything else in the package takes and returns these."""

from pytest_ftc.model.artifact import Artifact, Metadata
from pytest_ftc.model.build import Action, BuildResult, BuildStatus, Output, OutputType, Role, Shell, Tracing
from pytest_ftc.model.cause import Cause
from pytest_ftc.model.doctor import CheckUp, FarmState, VariationState
from pytest_ftc.model.environment import Environment, FileOrder, FileSystem, Identity, KernelName, Replica
from pytest_ftc.model.machine import Isolation, Machine
from pytest_ftc.model.parameter import Parameter, parameter, parameters_of
from pytest_ftc.model.place import Field, Place
from pytest_ftc.model.recipe import Recipe
from pytest_ftc.model.remedy import RemedyTemplate
from pytest_ftc.model.replay import Replayed
from pytest_ftc.model.source import Snapshot
from pytest_ftc.model.store import BuildRecord, Removed, Soundness, Stats
from pytest_ftc.model.suspicion import Conditions, Strength, Suspicion
from pytest_ftc.model.trace import Program, Trace
from pytest_ftc.model.verification import (
    Agreement,
    Difference,
    DifferenceKind,
    Evidence,
    Finding,
    KeptOutputs,
    NotVaried,
    Remedy,
    Verdict,
    Verification,
)

__all__ = [
    "Action",
    "Agreement",
    "Artifact",
    "BuildRecord",
    "BuildResult",
    "BuildStatus",
    "Cause",
    "CheckUp",
    "Conditions",
    "Difference",
    "DifferenceKind",
    "Environment",
    "Evidence",
    "FarmState",
    "Field",
    "FileOrder",
    "FileSystem",
    "Finding",
    "Identity",
    "Isolation",
    "KeptOutputs",
    "KernelName",
    "Machine",
    "Metadata",
    "NotVaried",
    "Output",
    "OutputType",
    "Parameter",
    "Place",
    "Program",
    "Recipe",
    "Remedy",
    "RemedyTemplate",
    "Removed",
    "Replayed",
    "Replica",
    "Role",
    "Shell",
    "Snapshot",
    "Soundness",
    "Stats",
    "Strength",
    "Suspicion",
    "Trace",
    "Tracing",
    "VariationState",
    "Verdict",
    "Verification",
    "parameter",
    "parameters_of",
]
