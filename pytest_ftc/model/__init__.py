"""The data: frozen dataclasses and enums.  Everything else in the package takes and returns these."""

from pytest_ftc.model.artifact import Artifact, Metadata
from pytest_ftc.model.build import Action, BuildResult, BuildStatus, Output, OutputType, Role, Shell, Tracing
from pytest_ftc.model.check_up import CheckUp, VariationState
from pytest_ftc.model.cure import Cure
from pytest_ftc.model.environment import Environment, FileOrder, FileSystem, Identity, KernelName
from pytest_ftc.model.leaf import Field, Leaf
from pytest_ftc.model.machine import Isolation, Machine
from pytest_ftc.model.parameter import Parameter, parameter, parameters_of
from pytest_ftc.model.recipe import Recipe
from pytest_ftc.model.replayed import Replayed
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
    "CheckUp",
    "Conditions",
    "Cure",
    "Difference",
    "DifferenceKind",
    "Environment",
    "Evidence",
    "Field",
    "FileOrder",
    "FileSystem",
    "Finding",
    "Identity",
    "Isolation",
    "KernelName",
    "Leaf",
    "Machine",
    "Metadata",
    "NotVaried",
    "Output",
    "OutputType",
    "Parameter",
    "Program",
    "Recipe",
    "Remedy",
    "Removed",
    "Replayed",
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
