"""What a supervisor reports of a build's processes."""

from __future__ import annotations

from pytest_ftc.builds.launcher.tracing.seccomp import Listener, Notification, Rule


class Watcher:
    """Receives the events of a build's processes; those that a subclass does not need are ignored."""

    rules: tuple[Rule, ...] = ()
    """The calls to intercept."""

    def saw_start(self, pid: int) -> None:
        """A program has been loaded into `pid`, and has not run yet."""

    def saw_fork(self, parent: int, child: int) -> None:
        """The thread `parent` has created a process or thread `child`."""

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        """A thread waits until this call is answered.

        Its ID is not reused before that, because a tracer must wait for the end of each traced thread, see ptrace(2).
        """

    def saw_end(self, pid: int, status: int) -> None:
        """The process or thread `pid` has ended with the wait status `status`, see waitpid(2)."""

    def lost_sight(self, pid: int) -> None:
        """`pid` and its descendants are no longer traced and start programs unnoticed; calls are still intercepted."""
