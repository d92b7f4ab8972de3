"""gRPC statuses as errors of ours.

See https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto and ``error_details.proto``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.errors import LateError, MissingInputsError, RemoteError
from pytest_ftc.integrations.retry import ServiceError
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten

BUSY = frozenset({"RESOURCE_EXHAUSTED"})
TRANSIENT = BUSY | {"UNAVAILABLE", "ABORTED", "INTERNAL", "UNKNOWN"}
"""After these a retry may succeed, since all our calls can be repeated.

Real servers and proxies answer with the last two when a connection breaks.
"""
_DETAILS = "grpc-status-details-bin"
_MOST_DETAILS = 1000
_SUBJECT = re.compile(r"(?:.*/)?blobs/([0-9a-f]{64})/([0-9]{1,18})")
_ADVICE = {
    "UNAUTHENTICATED": "Set [tool.ftc.remote] headers or tls.",
    "PERMISSION_DENIED": "Set [tool.ftc.remote] headers or tls.",
}


def translate(error: Any, where: str) -> Exception:
    """Return what to raise for an ``RpcError`` of the server `where`: a ServiceError if it is transient."""
    code = error.code()
    name = code.name if code is not None else "UNKNOWN"
    if name == "CANCELLED":
        # Not by us: so ends a stream that a proxy or a server in trouble resets.
        return ServiceError("CANCELLED: the call was reset", passing=True, busy=True)
    if name == "DEADLINE_EXCEEDED":
        # One that hangs is unavailable; to ask again would double the wait.
        return ServiceError("no answer within the time for a call")
    return describe(name, str(error.details() or ""), details_of(error), where)


def describe(name: str, said: str, status: Any | None, where: str) -> Exception:
    """Return what to raise for the status `name`, with which the server `where` `said` something."""
    reason = f"{name}: {shorten(said)}" if said else name
    if name in TRANSIENT:
        return ServiceError(reason, passing=True, after=_asked_wait(status), busy=name in BUSY)
    text = f"{where}: {reason}"
    if name == "DEADLINE_EXCEEDED":
        return LateError(text, status=name)
    missing = list(missing_of(status))
    if name == "FAILED_PRECONDITION" and missing:
        return MissingInputsError(text, [digest for digest in missing if digest])
    return RemoteError(text, status=name, advice=_ADVICE.get(name))


def code_name(number: int) -> str:
    """Return the name of a status code, such as ``NOT_FOUND``."""
    for code in api.grpc.StatusCode:
        if code.value[0] == number:
            return str(code.name)
    return f"status {number}"


def details_of(error: Any) -> Any | None:
    """Return the ``google.rpc.Status`` in the trailing metadata of an ``RpcError``; None if there is none."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            status = api.Status()
            try:
                status.ParseFromString(value)
            except api.DecodeError:
                return None
            return status
    return None


def missing_of(status: Any | None) -> Iterator[Digest | None]:
    """Yield the digest of each missing content that a ``Status`` names; None where it cannot be read."""
    for failure in _details(status, api.PreconditionFailure):
        for violation in failure.violations[:_MOST_DETAILS]:
            if violation.type == "MISSING":
                match = _SUBJECT.fullmatch(violation.subject)
                yield Digest(match[1], int(match[2])) if match else None


def _asked_wait(status: Any | None) -> float:
    """Return the seconds that a server asks to wait before a retry."""
    waits = [float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9) for info in _details(status, api.RetryInfo)]
    return max([0.0, *waits])


def _details(status: Any | None, kind: Any) -> Iterator[Any]:
    for detail in status.details[:_MOST_DETAILS] if status is not None else ():
        found = api.unpack(detail, kind)
        if found is not None:
            yield found
