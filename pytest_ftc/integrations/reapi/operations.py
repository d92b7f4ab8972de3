"""What a farm says about an execution, checked against the specification.

See https://github.com/bazelbuild/remote-apis, messages ``ExecuteOperationMetadata`` and ``ExecuteResponse``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.errors import MissingInputsError, RemoteError, TransientError
from pytest_ftc.integrations.reapi.statuses import code_name, describe
from pytest_ftc.integrations.retry import ServiceError
from pytest_ftc.model.support.printable import shorten

QUEUED, EXECUTING, COMPLETED = "QUEUED", "EXECUTING", "COMPLETED"
WAITING = frozenset({"", "CACHE_CHECK", QUEUED})
"""The stages before a worker has the action; empty before the farm said anything."""
_MOST_OUTPUTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """An action that ended on a worker, whatever its exit status."""

    result: Any
    """The ``ActionResult``; all its digests are valid ones."""
    cached: bool
    """Whether it is an entry of the farm's action cache."""
    worker: str
    """The name that the worker gives itself; empty if the farm does not say."""
    operation: str
    """The farm's name of the execution."""
    message: str
    """What the farm has to say to humans."""


def stage_of(operation: Any, where: str) -> str:
    """Return the name of the stage of an ``Operation``; empty if the farm does not say.

    Raises RemoteError for one that the specification does not have.
    """
    metadata = api.unpack(operation.metadata, api.ExecuteOperationMetadata)
    if metadata is None or not metadata.stage:
        return ""
    names = api.ExecutionStage.DESCRIPTOR.enum_types_by_name["Value"].values_by_number
    if metadata.stage not in names:
        raise RemoteError(f"{where}: an execution has the unknown stage {metadata.stage}")
    return str(names[metadata.stage].name)


def read_outcome(operation: Any, where: str, *, may_be_cached: bool) -> Executed:
    """Return what an ``Operation`` that is done has as its outcome.

    Raises MissingInputsError, LateError if the action took longer than it may, TransientError if it may be executed
    again, and RemoteError, also for an answer that the specification does not allow.
    """
    if operation.HasField("error"):
        raise outcome_error(operation.error, where)
    response = api.unpack(operation.response, api.ExecuteResponse) if operation.HasField("response") else None
    if response is None:
        raise RemoteError(f"{where}: an execution ended without an ExecuteResponse")
    if response.status.code:
        raise outcome_error(response.status, where)
    if not response.HasField("result"):
        raise RemoteError(f"{where}: an execution ended without an ActionResult")
    if response.cached_result and not may_be_cached:
        raise RemoteError(f"{where}: it answered from its action cache, although the action had to be executed")
    check_result(response.result, where)
    return Executed(
        result=response.result,
        cached=response.cached_result,
        worker=shorten(response.result.execution_metadata.worker, 200),
        operation=operation.name,
        message=shorten(response.message),
    )


def outcome_error(status: Any, where: str) -> Exception:
    """Return the error for the ``Status`` with which an execution ended."""
    error = describe(code_name(status.code), status.message, status, where)
    if isinstance(error, ServiceError):
        return TransientError(f"{where}: {error}", status=code_name(status.code))
    if isinstance(error, RemoteError) and error.status == "NOT_FOUND":
        # Real servers say so, and name nothing, where the specification asks for FAILED_PRECONDITION.
        return MissingInputsError(error.message)
    return error


def check_result(result: Any, where: str) -> None:
    """Raise RemoteError if an ``ActionResult`` has a digest or a path that the specification does not allow."""
    if len(result.output_files) + len(result.output_directories) + len(result.output_symlinks) > _MOST_OUTPUTS:
        raise RemoteError(f"{where}: a result has more than {_MOST_OUTPUTS} outputs")
    seen = set()
    for output in (*result.output_files, *result.output_directories, *result.output_symlinks):
        parts = output.path.split("/")
        if output.path in seen or not set(parts).isdisjoint(("", ".", "..")):
            raise RemoteError(f"{where}: a result has the output {shorten(repr(output.path))}, which cannot be")
        seen.add(output.path)
    for file in result.output_files:
        api.to_digest(file.digest)
    for folder in result.output_directories:
        api.to_digest(folder.tree_digest)
    for name in ("stdout_digest", "stderr_digest"):
        if result.HasField(name):
            api.to_digest(getattr(result, name))
