"""Workers of a farm inside the test: they answer as our program does, without running anything, and lie if asked to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from farms import Farm

from pytest_ftc.builds.worker_request import ANSWER, BLOBS, LOG, REQUEST, Request
from pytest_ftc.integrations.reapi import api
from pytest_ftc.model import Action, BuildResult, BuildStatus, Isolation, Machine, Output, OutputType, Tracing
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.serialization import from_json, to_json

MACHINE = Machine(
    isolation=Isolation.NONE,
    isolation_reason="refused",
    locales=("C", "C.UTF-8"),
    zoneinfo=True,
    work_dir="/work",
    work_filesystem="ext4",
    cpus=4,
    path=("/usr/bin", "/bin"),
    python="/usr/bin/python3",
    personality_reason="refused",
)
Files = Mapping[str, bytes]


@dataclass
class Said:
    """What a worker and its farm say about one action, to be changed before it is sent."""

    result: dict[str, Any]
    """Becomes ``result.json``."""
    blobs: dict[str, bytes]
    """The contents of the outputs, by sha256."""
    log: bytes = b"built\n"
    encode: Callable[[Any], bytes] = lambda result: json.dumps(result).encode()
    tree: Callable[[Any], None] = lambda tree: None
    """Changes the ``Tree`` of the outputs."""
    answer: Callable[[Any], None] = lambda result: None
    """Changes the ``ActionResult``."""
    response: Callable[[Any], None] = lambda response: None
    """Changes the ``ExecuteResponse``."""
    missing: set[Digest] = field(default_factory=set)
    """What the farm does not keep."""


Lie = Callable[[Said, Action], None]


class Workers:
    """All workers of `farm`; each build makes what `make` returns, and `lie` changes what is said of it."""

    def __init__(self, farm: Farm, make: Callable[[Action], Files] = lambda action: {"out": b"made\n"}) -> None:
        self.make = make
        self.lie: Lie = lambda said, action: None
        self.machine: dict[str, Any] = to_json(MACHINE)
        self.properties: list[dict[str, str]] = []
        """Those that each execution asks of its worker."""
        self._farm = farm
        farm.executions = _Always(self._execute)

    def say(self, action: Action) -> Said:
        """Return the true answer to `action`."""
        return answer_truly(action, self.make(action))

    def end(self, said: Said) -> Any:
        """Store what is said, and return its ``ExecuteResponse``."""
        answer = api.ActionResult()
        _add_file(self._farm, answer, ANSWER, said.encode(said.result))
        _add_file(self._farm, answer, LOG, said.log)
        tree = api.Tree()
        for name, data in sorted(said.blobs.items()):
            (digest,) = self._farm.put(data)
            tree.root.files.add(name=name, digest=api.to_message(digest))
        said.tree(tree)
        (digest,) = self._farm.put(api.serialize(tree))
        answer.output_directories.add(path=BLOBS, tree_digest=api.to_message(digest))
        answer.execution_metadata.worker = "worker-1"
        said.answer(answer)
        response = api.ExecuteResponse(result=answer)
        said.response(response)
        for digest in said.missing:
            self._farm.blobs.pop(digest, None)
        return response

    def _execute(self, request: Any, context: Any) -> Iterator[Any]:
        action = self._message(api.Action, api.to_digest(request.action_digest))
        self.properties.append({each.name: each.value for each in action.platform.properties})
        asked = self._read_request(api.to_digest(action.input_root_digest))
        if asked.action is None:
            said = Said(dict(self.machine), {})
        else:
            said = self.say(asked.action)
            self.lie(said, asked.action)
        operation = api.Operation(name="operation", done=True)
        operation.response.Pack(self.end(said))
        yield operation

    def _read_request(self, root: Digest) -> Request:
        for file in self._message(api.Directory, root).files:
            if file.name == REQUEST:
                return from_json(Request, json.loads(self._farm.blobs[api.to_digest(file.digest)]))
        raise AssertionError("the action has no request")

    def _message(self, kind: Any, digest: Digest) -> Any:
        return kind.FromString(self._farm.blobs[digest])


def answer_truly(action: Action, files: Files) -> Said:
    """Return what our program on a worker leaves of a build that made `files`."""
    outputs = tuple(
        Output(path=path, type=OutputType.FILE, mode="0644", size=len(data), sha256=Digest.of(data).hash)
        for path, data in sorted(files.items())
    )
    build = BuildResult(
        id=action.id,
        role=action.role,
        environment=action.described,
        status=BuildStatus.OK,
        exit_code=0,
        started=time.time(),
        seconds=0.1,
        outputs=outputs,
        not_followed="" if action.trace is Tracing.NO else "nothing is traced here",
    )
    return Said(to_json(build), {Digest.of(data).hash: data for data in files.values()})


def environment_seen(action: Action) -> bytes:
    """Return what the self-test's program writes where it sees all of its environment."""
    environment, variables = action.environment, dict(action.environment.variables)
    now = int(time.time()) + environment.clock_shift
    value = to_json(replace(environment, variables={}))
    seen = {
        **value,
        "time": [now, now],
        "timezone": variables.get("TZ"),
        "locales": variables.get("LC_ALL"),
        "exec_path": variables.get("PATH"),
        "environment": [variables.get("FTC_CANARY"), variables.get("FTC_CANARY_EXTRA")],
        "terminal": [variables.get(name) for name in ("TERM", "COLUMNS", "LINES")],
        "num_cpus": environment.cpus,
        "source_mtime": environment.source_mtime_shift,
        "source_mode": environment.source_umask,
        "hash_seed": variables.get("PYTHONHASHSEED"),
        "variables": variables,
    }
    return json.dumps(seen).encode()


def _add_file(farm: Farm, answer: Any, path: str, data: bytes) -> None:
    (digest,) = farm.put(data)
    answer.output_files.add(path=path, digest=api.to_message(digest))


class _Always(list[Callable[[Any, Any], Iterator[Any]]]):
    """The executions of a farm that never end."""

    def __init__(self, execute: Callable[[Any, Any], Iterator[Any]]) -> None:
        super().__init__([execute])

    def pop(self, _: Any = 0) -> Callable[[Any, Any], Iterator[Any]]:
        return self[0]
