"""Starting a build under supervision, or without it if that is refused.

The order matters.  First the watching process traces the build (`begin`), which permits it to copy the descriptor that
the build gets when it installs its filter (`submit`).  The build executes its command last.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.processes import Alone
from pytest_ftc.builds.launcher.tracing import ptrace
from pytest_ftc.builds.launcher.tracing.guard import Guard
from pytest_ftc.builds.launcher.tracing.supervisor import Supervisor
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_WITH, _WITHOUT = b"+", b"-"


def follow(watchers: Sequence[Watcher], guard: Guard) -> Alone:
    """Return the tie for following the next build for `watchers`, with calls decided by `guard`."""
    try:
        return Following(Supervisor(watchers, guard))
    except OSError as error:
        alone = Alone()
        alone.refusal = str(error)
        return alone


class Following(Alone):
    """The tie between a build and its `supervisor`."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor: Supervisor | None = supervisor
        kernel.allow_tracing()
        self._go_read, self._go_write = os.pipe()
        self._told_read, self._told_write = os.pipe()

    @property
    def descriptors(self) -> list[int]:
        return [self._supervisor.descriptor] if self._supervisor else []

    def submit(self) -> bool:
        """Wait until this process is followed, then install the filter."""
        assert self._supervisor is not None
        os.close(self._go_write)
        if os.read(self._go_read, 1) != _WITH:
            return False
        # Send the number before the filter exists: with a rule for write(2), this write would wait for an answer before
        # anybody listens.  A new descriptor gets the lowest free number, see open(2), or is moved there below.
        number = os.dup(self._go_read)
        os.close(number)
        os.write(self._told_write, b"%d" % number)
        try:
            descriptor = self._supervisor.ask()
        except OSError as error:
            os.write(self._told_write, f" {error.strerror}".encode())
            return False
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(self._told_write)
        followed = os.read(self._go_read, 1) == _WITH
        os.close(number)
        return followed

    def begin(self, pid: int) -> None:
        assert self._supervisor is not None
        os.close(self._told_write)
        os.close(self._go_read)
        try:
            ptrace.seize(pid)
        except OSError as error:
            self._do_without(str(error.strerror))
            os.write(self._go_write, _WITHOUT)
        else:
            os.write(self._go_write, _WITH)
            with open(self._told_read, "rb", closefd=False) as told:
                number, _, problem = told.read().decode(errors="replace").partition(" ")
            if number and not problem:
                self._supervisor.listen(pid, int(number))
                os.write(self._go_write, _WITH)
            else:
                self._do_without(problem)
        os.close(self._told_read)
        os.close(self._go_write)

    def _do_without(self, reason: str) -> None:
        self._supervisor = None
        self.refusal = reason or "it ended early"

    def handle_call(self) -> None:
        if self._supervisor:
            self._supervisor.handle_call()

    def handle_stop(self, pid: int, status: int) -> None:
        if self._supervisor:
            self._supervisor.handle_stop(pid, status)
        else:
            ptrace.resume(pid, status)

    def handle_end(self, pid: int, status: int) -> None:
        if self._supervisor:
            self._supervisor.handle_end(pid, status)
