"""Running builds: what this machine offers, where builds run, and the executor that runs them here."""

from pytest_ftc.executors.apart import run_apart
from pytest_ftc.executors.local import LocalExecutor
from pytest_ftc.executors.machine import survey_machine
from pytest_ftc.executors.observed import ObservedExecutor
from pytest_ftc.executors.retrying import Patience, RetryingExecutor
from pytest_ftc.executors.snapshot import SnapshotCache
from pytest_ftc.executors.workspace import Workspace

__all__ = [
    "LocalExecutor",
    "ObservedExecutor",
    "Patience",
    "RetryingExecutor",
    "SnapshotCache",
    "Workspace",
    "run_apart",
    "survey_machine",
]
