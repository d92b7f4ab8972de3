"""What can go wrong between this machine and a farm."""

from __future__ import annotations

from collections.abc import Collection

from pytest_ftc.integrations.signers import NotInstalledError
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError

__all__ = [
    "AlteredError",
    "CancelledError",
    "LateError",
    "MissingInputsError",
    "NotInstalledError",
    "RemoteError",
    "TransientError",
]


class RemoteError(FtcError):
    """The farm refused a call, or its answer is not what the specification allows; a retry would not help."""

    def __init__(self, message: str, *, status: str = "", advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.status = status
        """The name of the gRPC status, such as ``NOT_FOUND``; empty if the farm sent none."""


class TransientError(RemoteError):
    """The farm could not be reached, is busy or lost a worker; a retry may succeed later."""


class LateError(RemoteError):
    """One of our own deadlines ended a call or an execution."""


class CancelledError(RemoteError):
    """This session cancelled the call: it ends, or was interrupted."""


class AlteredError(RemoteError):
    """The farm sent bytes that do not have the digest by which they were asked for."""


class MissingInputsError(RemoteError):
    """The farm cannot execute an action because contents are missing, which `digests` names as far as it said."""

    def __init__(self, message: str, digests: Collection[Digest] = ()) -> None:
        super().__init__(message, status="FAILED_PRECONDITION")
        self.digests = frozenset(digests)
