"""What a worker leaves, checked: it runs builds of others, and is not trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ftc.builds.worker_request import ANSWER, BLOBS, LOG
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.operations import Executed
from pytest_ftc.integrations.reapi.trees import read_output_tree
from pytest_ftc.model import Action, BuildResult, BuildStatus, Machine, OutputType
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.serialization import from_json

T = TypeVar("T")
_MOST_ANSWER = 256 << 20
_MOST_WORDS = 64 << 10


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a build on a worker."""

    build: BuildResult
    log: Digest
    contents: Mapping[str, Digest]
    """Where the farm has the contents of the outputs, by sha256."""


async def read_machine(cas: Cas, executed: Executed) -> Machine:
    """Return the machine that a survey found.  Raises RemoteError, TransientError and MissingError."""
    return await _read(cas, executed, Machine)


async def read_answer(cas: Cas, executed: Executed, action: Action) -> Answer:
    """Return the result of the build `action`.  Raises RemoteError, TransientError and MissingError."""
    build = await _read(cas, executed, BuildResult)
    if build.id != action.id or build.role is not action.role:
        raise RemoteError(f"the answer is that of another build, {shorten(repr(build.id))}, not of {action.id}")
    folder = _find(executed, "output_directories", BLOBS)
    contents: dict[str, Digest] = {}
    if folder is not None and any(output.sha256 for output in build.outputs):
        for entry in await read_output_tree(cas, api.to_digest(folder.tree_digest)):
            if entry.digest is not None and entry.path == entry.digest.hash:
                contents[entry.path] = entry.digest
    _check_outputs(build, contents)
    log = _find(executed, "output_files", LOG)
    return Answer(build, api.to_digest(log.digest) if log is not None else Digest.of(b""), contents)


def _check_outputs(build: BuildResult, contents: Mapping[str, Digest]) -> None:
    """Raise RemoteError if the outputs of `build` are not those that the farm has."""
    paths = [output.path for output in build.outputs]
    if paths != sorted(set(paths)) or (build.outputs and build.status is not BuildStatus.OK):
        raise RemoteError("the worker's list of outputs is not one that our program writes")
    for output in build.outputs:
        if output.type is not OutputType.FILE:
            continue
        found = contents.get(output.sha256)
        if found is None or found.size != output.size:
            raise RemoteError(f"the worker names the output {shorten(repr(output.path))}, but the farm has it not")


async def _read(cas: Cas, executed: Executed, kind: type[T]) -> T:
    file = _find(executed, "output_files", ANSWER)
    if executed.result.exit_code != 0 or file is None:
        raise RemoteError(await _explain(cas, executed))
    data = await cas.read(api.to_digest(file.digest), _MOST_ANSWER)
    try:
        return from_json(kind, json.loads(data))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RemoteError(f"the worker's answer is not one that our program writes: {shorten(str(error))}") from None


async def _explain(cas: Cas, executed: Executed) -> str:
    """Return why a worker has no answer, with its last words."""
    result = executed.result
    said = result.stderr_raw or result.stdout_raw
    if not said and result.HasField("stderr_digest") and 0 < result.stderr_digest.size_bytes < _MOST_WORDS:
        said = await cas.read(api.to_digest(result.stderr_digest), _MOST_WORDS)
    lines = bytes(said).decode(errors="replace").strip().splitlines()[-1:]
    words = shorten(" ".join(lines)) or shorten(executed.message) or "no message"
    return f"our program on the worker ended with status {result.exit_code}: {words}"


def _find(executed: Executed, kind: str, path: str) -> Any | None:
    return next((found for found in getattr(executed.result, kind) if found.path == path), None)
