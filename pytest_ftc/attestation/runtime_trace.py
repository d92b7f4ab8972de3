"""What a traced build did, as an in-toto Runtime Trace.

See https://github.com/in-toto/attestation/blob/main/spec/predicates/runtime-trace.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from pytest_ftc.attestation.provenance import BUILD_TYPE, Builder, Invocation, timestamp
from pytest_ftc.attestation.statement import Statement, subjects_of
from pytest_ftc.model import Role, Verification
from pytest_ftc.model.support.valid_text import valid_text
from pytest_ftc.model.trace import Program, Trace

TRACE_TYPE = "https://in-toto.io/attestation/runtime-trace/v0.1"
MONITOR_TYPE = "https://pypi.org/project/pytest-ftc/#trace/v1"
"""docs/evidence.md describes its entries."""
_MOST = 50_000
"""Entries of a list; more would make a statement that readers refuse."""
_OUTSIDE = {"file": "read", "folder": "listed"}
_ADDRESS = re.compile(r"\[?(?P<ip>[0-9a-fA-F.:]+?)\]?:(?P<port>[0-9]{1,5})")


def make_runtime_trace(verification: Verification, builder: Builder, invocation: Invocation) -> Statement | None:
    """Return the trace of the control build of `verification`; None if no trace was asked for, or if there is none.

    It has no values of environment variables and nothing of what files hold.
    """
    control = next((one for one in verification.builds if one.role is Role.CONTROL), None)
    if control is None or control.trace is None or not verification.traced:
        return None
    trace = control.trace
    digests = verification.inputs.tools if verification.inputs else {}
    processes = list(islice(_list_processes(trace), _MOST))
    files = list(islice(_list_files(trace, digests), _MOST))
    gaps = [*trace.gaps, *([trace.outside_gap] if trace.outside_gap else [])]
    if len(processes) == _MOST or len(files) == _MOST:
        gaps.append(f"lists end after {_MOST} entries")
    predicate = {
        "monitor": {"type": MONITOR_TYPE, "tracePolicy": {"build": control.id, "gaps": list(map(valid_text, gaps))}},
        "monitoredProcess": {"hostID": builder.id, "type": BUILD_TYPE, "event": invocation.id},
        "monitorLog": {
            "process": processes,
            "network": [_describe_contact(trace.programs, *one) for one in trace.connected[:_MOST]],
            "fileAccess": files,
        },
        "metadata": {
            "buildStartedOn": timestamp(control.started),
            "buildFinishedOn": timestamp(control.started + control.seconds),
        },
    }
    return Statement(subjects_of(verification), TRACE_TYPE, predicate)


def _list_processes(trace: Trace) -> Iterator[dict[str, Any]]:
    random = set(trace.random)
    for index, one in enumerate(trace.programs):
        yield {
            "processBinary": valid_text(one.program),
            "arguments": [valid_text(word) for word in one.argv],
            "folder": valid_text(one.folder),
            "parent": one.parent,
            "exitCode": one.exit_code,
            "askedForRandomBytes": index in random,
        }


def _list_files(trace: Trace, digests: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield each path once, with how it was used; the digest of those that the verdict's inputs have."""
    used: dict[str, dict[str, None]] = {}
    for kind, paths in (
        ("read", [path for _, path in trace.read]),
        ("written", [path for _, path in trace.written]),
        ("renamed to", [new for _, _, new in trace.moved]),
    ):
        for path in paths:
            used.setdefault(path, {})[kind] = None
    for path, kind in trace.outside:
        used.setdefault(path, {})[_OUTSIDE.get(kind, kind)] = None
    for path in sorted(used):
        entry: dict[str, Any] = {"name": valid_text(path), "uri": _as_uri(path)}
        if path in digests:
            entry["digest"] = {"sha256": digests[path]}
        yield {**entry, "annotations": {"access": list(used[path])}}


def _as_uri(path: str) -> str:
    return f"file://{quote(path.encode('utf-8', 'surrogateescape'))}"


def _describe_contact(programs: Sequence[Program], index: int, address: str) -> dict[str, Any]:
    binary = programs[index].program if 0 <= index < len(programs) else ""
    process = {"invokingProcess": {"index": index, "processBinary": valid_text(binary)}} if binary else {}
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return {"hostname": valid_text(address), **process}
    return {"ip": match["ip"], "port": int(match["port"]), **process}
