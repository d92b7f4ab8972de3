"""Executing an action on a farm as it is: no variation, none of our launcher."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.integrations.audit.cached import examine_result
from pytest_ftc.integrations.audit.contents import Contents
from pytest_ftc.integrations.audit.described import DescribedAction
from pytest_ftc.integrations.audit.executed import PlainRun
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.execution import Deadlines, Execution
from pytest_ftc.integrations.reapi.merkle import describe_tree
from pytest_ftc.model.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRunner:
    """Executes actions over `farm`, whose storage is `contents`."""

    farm: Connection
    contents: Contents
    queue: float
    """Seconds that an action may wait for a worker."""
    timeout: float
    """Seconds for actions that have no limit of their own."""

    def run(self, action: DescribedAction, inputs: Path) -> PlainRun:
        """Execute `action`, whose inputs are in the folder `inputs`, and return how it ended.

        No action cache answers it or keeps its result.  Raises RemoteError, SourceError, UnfitError, OSError.
        """
        return self.farm.call(self._run(action, inputs))

    async def _run(self, action: DescribedAction, inputs: Path) -> PlainRun:
        tree = describe_tree(inputs)
        message = api.Action()
        message.CopyFrom(action.message)
        message.input_root_digest.CopyFrom(api.to_message(tree.root))
        message.do_not_cache = True
        # Servers may give equal actions that run at the same time one execution.
        message.salt = secrets.token_bytes(16)
        data = api.serialize(message)
        digest = Digest.of(data)
        command = Digest.of(action.command)
        await self.contents.cas.upload({**tree.contents, command: action.command, digest: data})
        deadlines = Deadlines(queue=self.queue, whole=self.queue + 2 * (action.timeout or self.timeout))
        done = await Execution(self.farm).execute(digest, deadlines=deadlines)
        result = await examine_result(self.contents, done.result, action.folder)
        return PlainRun(exit_code=result.exit_code, outputs=None if result.faults else result.outputs)
