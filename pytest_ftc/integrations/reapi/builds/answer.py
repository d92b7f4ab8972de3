"""What a worker leaves, checked: it runs builds of others, and is not trusted."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ftc.builds.worker_request import ANSWER, BLOBS, LOG, MOST_ANSWER
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.builds.checks import admit_build, admit_machine
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.operations import Executed
from pytest_ftc.integrations.reapi.trees import read_output_tree
from pytest_ftc.model import Action, BuildResult, Machine
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.serialization import from_json

T = TypeVar("T")
_NOT_OURS = "the worker's answer is not one that our program writes"
_TEXT = re.compile('"[^"]*"')
_MOST_VALUES = 3_000_000
"""Texts, lists and so on in an answer: each takes far more memory than bytes in the answer."""
_LONG_NUMBER = re.compile(r"[0-9]{400}")
"""Some versions of Python take minutes for a million digits."""
_MOST_WORDS = 64 << 10
_FEWEST_BYTES, _BYTES_OF_ONE = 4096, 256
"""Of the ``Tree`` with the contents, and of one of them in it: a name and a digest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a build on a worker."""

    build: BuildResult
    log: Digest
    contents: Mapping[str, Digest]
    """Where the farm has the contents of the outputs, by sha256."""


async def read_machine(cas: Cas, executed: Executed) -> Machine:
    """Return the machine that a survey found.  Raises RemoteError, TransientError and MissingError."""
    return admit_machine(await _read(cas, executed, Machine))


async def read_answer(cas: Cas, executed: Executed, action: Action) -> Answer:
    """Return the result of the build `action`.  Raises RemoteError, TransientError and MissingError."""
    found = await _read(cas, executed, BuildResult)
    # In a thread of its own, since there may be many outputs, and other builds wait.
    build = await asyncio.to_thread(admit_build, found, action)
    contents = await _find_contents(cas, executed, build)
    log = _find(executed, "output_files", LOG)
    return Answer(build, api.to_digest(log.digest) if log is not None else Digest.of(b""), contents)


async def _find_contents(cas: Cas, executed: Executed, build: BuildResult) -> dict[str, Digest]:
    """Return where the farm has the contents of the outputs, by sha256.

    Raises RemoteError if the worker left others, and MissingError if the farm has not what the worker left.
    """
    wanted = {output.sha256: output for output in build.outputs if output.sha256}
    folder = _find(executed, "output_directories", BLOBS)
    contents: dict[str, Digest] = {}
    if folder is not None:
        most, tree = len(wanted), api.to_digest(folder.tree_digest)
        for entry in await read_output_tree(cas, tree, most, _FEWEST_BYTES + most * _BYTES_OF_ONE):
            if entry.digest is None or entry.path != entry.digest.hash or entry.path not in wanted:
                raise RemoteError(f"the worker left {shorten(repr(entry.path))}, which is no content of an output")
            contents[entry.path] = entry.digest
    for output in build.outputs:
        content = contents.get(output.sha256)
        if output.sha256 and (content is None or content.size != output.size):
            raise RemoteError(f"the worker names the output {shorten(repr(output.path))}, but the farm has it not")
    for digest in sorted(await cas.find_missing(contents.values())):
        raise MissingError(f"the farm lacks the output {shorten(repr(wanted[digest.hash].path))}, {digest}")
    return contents


async def _read(cas: Cas, executed: Executed, kind: type[T]) -> T:
    file = _find(executed, "output_files", ANSWER)
    if executed.result.exit_code != 0 or file is None:
        raise RemoteError(await _explain(cas, executed))
    data = await cas.read(api.to_digest(file.digest), MOST_ANSWER)
    try:
        return await asyncio.to_thread(_parse, kind, data)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RemoteError(f"{_NOT_OURS}: {shorten(str(error))}") from None


def _parse(kind: type[T], data: bytes) -> T:
    """Return the value in `data`, in bounded memory.  Raises ValueError, TypeError, KeyError and RecursionError."""
    text = data.decode("ascii")
    plain, values = _TEXT.subn("", text.replace("\\\\", "").replace('\\"', ""))
    if values + sum(map(plain.count, ",[{")) > _MOST_VALUES or _LONG_NUMBER.search(plain):
        raise ValueError(f"more than {_MOST_VALUES} values, or a number that is too long")
    return from_json(kind, json.loads(text, parse_constant=_refuse_constant))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"the number {name}")


async def _explain(cas: Cas, executed: Executed) -> str:
    """Return why a worker has no answer, with its last words."""
    result = executed.result
    if result.exit_code == 0:
        return f"our program on the worker left no file {ANSWER}"
    said = result.stderr_raw or result.stdout_raw
    if not said and result.HasField("stderr_digest") and 0 < result.stderr_digest.size_bytes < _MOST_WORDS:
        try:
            said = await cas.read(api.to_digest(result.stderr_digest), _MOST_WORDS)
        except FtcError as error:
            said = f"what it said cannot be read: {error.message}".encode()
    lines = bytes(said[-_MOST_WORDS:]).decode(errors="replace").strip().splitlines()[-1:]
    words = shorten(" ".join(lines)) or shorten(executed.message) or "no message"
    return f"our program on the worker ended with status {result.exit_code}: {words}"


def _find(executed: Executed, kind: str, path: str) -> Any | None:
    return next((found for found in getattr(executed.result, kind) if found.path == path), None)
