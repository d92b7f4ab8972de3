"""The user of the build: ids and names of user and group."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Identity, Isolation, Machine
from pytest_ftc.model.machine import AS_ROOT

_UID, _GID = 52741, 52742


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A different uid and gid by the id map of a user namespace, and different names by private passwd and group files.

    The session's user still owns the files; only the build's view differs.  As root, builds run as an ordinary
    user.
    """

    name = "user_group"
    mechanism = "uid and gid maps of a user namespace, bind-mounted /etc/passwd and group"
    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.USER:
            return None
        return f"needs a user namespace: {machine.isolation_reason or AS_ROOT}"

    def take_turn(self, number: int) -> UserGroup:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        step = 10 * (self.turn - 1)
        identity = Identity(uid=_UID + step, gid=_GID + step, user=f"user-{token}", group=f"group-{token}")
        return replace(environment, identity=identity).with_variables(USER=identity.user, LOGNAME=identity.user)

    def describe(self, environment: Environment) -> str:
        identity = environment.identity
        if identity is None:
            return "as the session"
        return f"{identity.user}({identity.uid}):{identity.group}({identity.gid})"
