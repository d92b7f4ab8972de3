"""Executing an action on the farm as it is, without our program around it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.integrations.audit.cached import examine_result
from pytest_ftc.integrations.audit.contents import Contents
from pytest_ftc.integrations.audit.described import DescribedAction
from pytest_ftc.integrations.audit.executed import PlainRun
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.model.digest import Digest


@dataclass(frozen=True, slots=True)
class PlainRunner:
    """Executes actions on the farm that holds their inputs."""

    farm: Connection
    contents: Contents
    queue: float
    """Seconds that an action may wait for a worker."""

    def __call__(self, action: DescribedAction, _: Path) -> PlainRun:
        """Return how `action` ends.  Raises FtcError, UnfitError, OSError."""
        return self.farm.call(self._run(action))

    async def _run(self, action: DescribedAction) -> PlainRun:
        message = api.Action()
        message.CopyFrom(action.message)
        # Another action than the cached one, whose result no cache keeps.
        message.do_not_cache = True
        message.salt = secrets.token_bytes(16)
        data = api.serialize(message)
        await Cas(self.farm).upload({Digest.of(data): data})
        whole = self.queue + 2 * (action.timeout or self.queue)
        done = await Execution(self.farm).execute(Digest.of(data), deadlines=Deadlines(queue=self.queue, whole=whole))
        found = await examine_result(self.contents, done.result, action.folder)
        return PlainRun(exit_code=int(done.result.exit_code), outputs=found.outputs)
