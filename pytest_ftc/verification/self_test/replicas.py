"""The self-test where builds run on two kinds of machines: what counts is what both can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import Action, BuildResult, Isolation, Machine, Replica
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.protocols import Executor, MayStart, RemoteExecutor, Variation, at_once
from pytest_ftc.verification.self_test.machine import Examined, examine_machine

_WHERE = "[tool.ftc.remote.replicas]"


class OnReplica:
    """Runs all builds on the machines of one kind."""

    def __init__(self, inner: RemoteExecutor, replica: Replica) -> None:
        self._inner = inner
        self._replica = replica

    @property
    def replicas(self) -> Sequence[Replica]:
        """See `pytest_ftc.model.protocols.RemoteExecutor`."""
        return ()

    def survey(self, replica: Replica | None = None) -> Machine:
        """See `pytest_ftc.model.protocols.RemoteExecutor`."""
        return self._inner.survey(self._replica)

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        environment = replace(action.environment, replica=self._replica)
        return self._inner.run(replace(action, environment=environment), started, may_start)

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._inner.cancel()

    def close(self) -> None:
        """See `pytest_ftc.model.protocols.RemoteExecutor`."""
        self._inner.close()


def examine(
    workspace: Workspace, added: Sequence[Variation], executor: Executor | None, cache: Path | None
) -> tuple[Machine, Examined]:
    """Return what `examine_machine` finds; with two kinds of machines, what they have in common.

    Raises ConfigurationError if the same build cannot run on both.
    """
    kinds = executor.replicas if isinstance(executor, RemoteExecutor) else ()
    if not (kinds and isinstance(executor, RemoteExecutor)):
        return examine_machine(workspace, added, executor=executor, cache=cache)
    examined = [examine_machine(workspace, added, executor=OnReplica(executor, kind)) for kind in kinds]
    replaced = {name: one for _, own in examined for name, one in own.replaced.items()}
    machine = reduce(share, (machine for machine, _ in examined))
    return machine, replace(examined[0][1], replaced=replaced)


def share(one: Machine, other: Machine) -> Machine:
    """Return what both machines can do: `one` is that of the control.  Raises ConfigurationError."""
    isolated = [machine.isolation is not Isolation.NONE for machine in (one, other)]
    if isolated[0] != isolated[1]:
        names = [replica.value for replica in Replica]
        with_them, without = names if isolated[0] else reversed(names)
        reason = (other if isolated[0] else one).isolation_reason
        raise ConfigurationError(
            f"{_WHERE}: builds on the workers of {with_them} have namespaces, those on the workers of {without} have "
            f"none: {reason}",
            advice="Name workers that are alike in this.",
        )
    return replace(
        one,
        overlay=one.overlay and other.overlay,
        fresh_proc=one.fresh_proc and other.fresh_proc,
        fresh_proc_reason=one.fresh_proc_reason or other.fresh_proc_reason,
        faketime=one.faketime if other.faketime else "",
        faketime_reason=one.faketime_reason or other.faketime_reason,
        locales=tuple(locale for locale in one.locales if locale in other.locales),
        zoneinfo=one.zoneinfo and other.zoneinfo,
        work_filesystem=one.work_filesystem if one.work_filesystem == "tmpfs" else other.work_filesystem,
        cpus=min(one.cpus, other.cpus),
        online=one.online and other.online,
        personality_reason=one.personality_reason or other.personality_reason,
        path=tuple(dict.fromkeys((*one.path, *other.path))),
        unseen={**other.unseen, **one.unseen},
    )
