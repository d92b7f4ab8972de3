"""Is my build reproducible, and if not, why?  See README.md; the plugin itself is ``pytest_ftc.plugin``.

The names in ``__all__`` are the public interface, described in docs/hooks.md.  Each is imported when it is first used:
every run of pytest imports this module, and so does every build.
"""

TYPE_CHECKING = False  # Type checkers know this name; importing it from typing takes time.
if TYPE_CHECKING:
    from pytest_ftc.builds.local import LocalExecutor
    from pytest_ftc.builds.machine import survey_machine
    from pytest_ftc.builds.workspace import Workspace
    from pytest_ftc.model.artifact import Artifact, Metadata
    from pytest_ftc.model.build import Action, BuildResult, BuildStatus, Output, OutputType, Role
    from pytest_ftc.model.digest import Digest
    from pytest_ftc.model.environment import Environment, FileOrder, FileSystem, Identity, KernelName
    from pytest_ftc.model.errors import (
        ConfigurationError,
        ExecutionError,
        FtcError,
        MissingError,
        StoreUnavailableError,
    )
    from pytest_ftc.model.machine import Isolation, Machine
    from pytest_ftc.model.parameter import Parameter, parameter
    from pytest_ftc.model.place import Field, Place
    from pytest_ftc.model.protocols import (
        ActionCache,
        Comparator,
        ContentStore,
        Diagnoser,
        Executor,
        SettlesControl,
        Store,
        TakesTurns,
        Variation,
        at_once,
    )
    from pytest_ftc.model.remedy import RemedyTemplate
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

__version__ = "0.1.0"

__all__ = [
    "Action",
    "ActionCache",
    "Agreement",
    "Artifact",
    "BuildResult",
    "BuildStatus",
    "Comparator",
    "Conditions",
    "ConfigurationError",
    "ContentStore",
    "Diagnoser",
    "Difference",
    "DifferenceKind",
    "Digest",
    "Environment",
    "Evidence",
    "ExecutionError",
    "Executor",
    "Field",
    "FileOrder",
    "FileSystem",
    "Finding",
    "FtcError",
    "Identity",
    "Isolation",
    "KernelName",
    "LocalExecutor",
    "Machine",
    "Metadata",
    "MissingError",
    "NotVaried",
    "Output",
    "OutputType",
    "Parameter",
    "Place",
    "Program",
    "Remedy",
    "RemedyTemplate",
    "Role",
    "SettlesControl",
    "Store",
    "StoreUnavailableError",
    "Strength",
    "Suspicion",
    "TakesTurns",
    "Trace",
    "Variation",
    "Verdict",
    "Verification",
    "Workspace",
    "at_once",
    "parameter",
    "survey_machine",
]

_MODULES = {
    "builds.local": "LocalExecutor",
    "builds.machine": "survey_machine",
    "builds.workspace": "Workspace",
    "model.artifact": "Artifact Metadata",
    "model.build": "Action BuildResult BuildStatus Output OutputType Role",
    "model.digest": "Digest",
    "model.environment": "Environment FileOrder FileSystem Identity KernelName",
    "model.errors": "ConfigurationError ExecutionError FtcError MissingError StoreUnavailableError",
    "model.machine": "Isolation Machine",
    "model.parameter": "Parameter parameter",
    "model.place": "Field Place",
    "model.protocols": (
        "ActionCache Comparator ContentStore Diagnoser Executor SettlesControl Store TakesTurns Variation at_once"
    ),
    "model.remedy": "RemedyTemplate",
    "model.suspicion": "Conditions Strength Suspicion",
    "model.trace": "Program Trace",
    "model.verification": "Agreement Difference DifferenceKind Evidence Finding NotVaried Remedy Verdict Verification",
}
"""The public names that each module holds."""


def __getattr__(name: str) -> object:
    module = next((module for module, names in _MODULES.items() if name in names.split()), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
