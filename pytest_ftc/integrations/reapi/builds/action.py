"""A build, or a survey of a worker, as an action of the Remote Execution API: the command is our own program."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pytest_ftc.builds.machine import faketime_candidates
from pytest_ftc.builds.worker_request import (
    FAKETIME,
    GIT,
    MODES,
    OUTPUTS,
    PROGRAM,
    REQUEST,
    SOURCE,
    Request,
    listing_of,
)
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.builds.program import START, pack_program
from pytest_ftc.integrations.reapi.builds.sources import Sources
from pytest_ftc.integrations.reapi.contents import Content
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model import Action, Machine
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.serialization import to_json

SET_UP = 120
"""Seconds that a worker may take beyond the build's own time limit."""
_COMMAND = 'exec python3 -I -S -c "$0" "$@"'
_VARIABLES = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}


def describe_survey(properties: Mapping[str, str]) -> tuple[Digest, Mapping[Digest, Content]]:
    """Return the digest of the action that surveys a worker, and everything that it needs."""
    return _describe([Entry(SOURCE), *_faketime()], Request(faketime=_digest_faketime()), properties, SET_UP)


def describe_build(
    action: Action, sources: Sources, properties: Mapping[str, str], surveyed: Machine | None = None
) -> tuple[Digest, Mapping[Digest, Content]]:
    """Return the digest of the action that is the build `action`, and everything that it needs.

    Raises SourceError and ExecutionError.
    """
    shown, folders = sources.shown(action)
    entries = [*sources.entries(action), *folders, *_faketime()]
    digests = {entry.path: entry.digest.hash for entry in entries if entry.digest}
    plain = replace(
        action,
        snapshot=Path(SOURCE),
        git_dir=None,
        git_link=None,
        keep=None,
        shown={path: Path(name) for path, name in shown.items()},
    )
    listed = [*shown.values(), *([GIT] if action.git_dir else [])]
    request = Request(
        action=plain,
        modes=digests[MODES],
        listings={name: digests[listing_of(name)] for name in listed},
        faketime=_digest_faketime(),
        python=sys.executable,
        surveyed=surveyed,
    )
    return _describe(entries, request, properties, int(action.timeout) + SET_UP)


def _describe(
    entries: list[Entry], request: Request, properties: Mapping[str, str], seconds: int
) -> tuple[Digest, Mapping[Digest, Content]]:
    asked = _encode(request)
    own = [Entry.of(PROGRAM, pack_program()), Entry.of(REQUEST, asked)]
    tree = build_tree([*entries, *own])
    platform = api.Platform(properties=[{"name": key, "value": properties[key]} for key in sorted(properties)])
    command = api.serialize(
        api.Command(
            arguments=["/bin/sh", "-c", _COMMAND, START, Digest.of(pack_program()).hash, Digest.of(asked).hash],
            environment_variables=[{"name": name, "value": value} for name, value in sorted(_VARIABLES.items())],
            output_paths=sorted(OUTPUTS),
            platform=platform,
        )
    )
    action = api.serialize(
        api.Action(
            command_digest=api.to_message(Digest.of(command)),
            input_root_digest=api.to_message(tree.root),
            timeout={"seconds": seconds},
            # No two builds may be answered with one execution, and no cache may answer any of them.
            do_not_cache=True,
            salt=secrets.token_bytes(16),
            platform=platform,
        )
    )
    digest = Digest.of(action)
    return digest, {**tree.contents, Digest.of(command): command, digest: action}


@cache
def _faketime() -> tuple[Entry, ...]:
    """Return the libfaketime of this machine for workers that have none; they try whether it works there."""
    for path in filter(Path.is_file, faketime_candidates()):
        return (Entry.of(FAKETIME, path.read_bytes()),)
    return ()


def _digest_faketime() -> str:
    return next((entry.digest.hash for entry in _faketime() if entry.digest), "")


def _encode(request: Request) -> bytes:
    value: Any = to_json(request)
    return json.dumps(value, sort_keys=True).encode()
