"""The action cache of a farm: results of actions, by the digest of the action.

Its entries are not trusted: whoever may write to it can have written anything.
"""

from __future__ import annotations

from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.operations import check_result
from pytest_ftc.model.digest import Digest


class RemoteActionCache:
    """Reads and writes entries over `connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, action: Digest) -> Any | None:
        """Return the ``ActionResult`` of `action`, whose digests are valid ones; None if there is none.

        The contents that it names may be gone.  Raises RemoteError, TransientError.
        """
        request = api.GetActionResultRequest(
            instance_name=self._connection.address.instance, action_digest=api.to_message(action)
        )
        try:
            result = await self._connection.unary("ActionCache", "GetActionResult", request)
        except RemoteError as error:
            if error.status == "NOT_FOUND":
                return None
            raise
        check_result(result, str(self._connection.address))
        return result

    async def put(self, action: Digest, result: Any) -> None:
        """Store `result` for `action`; the contents it names must be there.  Raises RemoteError, TransientError."""
        request = api.UpdateActionResultRequest(
            instance_name=self._connection.address.instance,
            action_digest=api.to_message(action),
            action_result=result,
        )
        await self._connection.unary("ActionCache", "UpdateActionResult", request)
