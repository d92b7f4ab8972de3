"""Which calls ask the kernel for a time that nothing moves."""

import os

import pytest

from pytest_ftc.builds.launcher.clocks.time_stamps import TimeStamps
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Notification


class Listener:
    def __init__(self) -> None:
        self.answered: list[int] = []

    def answer(self, _: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> None:
        assert not value and not error
        self.answered.append(flags)


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("setsockopt", "the real time of a packet"),
        ("ioctl", "the real time of a packet"),
        ("shmctl", "the real times of a System V object"),
        ("semctl", "the real times of a System V object"),
        ("msgctl", "the real times of a System V object"),
        ("ipc", "the real times of a System V object"),
    ],
)
def test_the_program_and_the_call_are_named_and_the_call_is_carried_out(call, asked):
    stamps, listener = TimeStamps(), Listener()
    stamps.saw_call(Notification(1, os.getpid(), call, 0, (0,) * 6), listener)
    name = os.path.basename(os.path.realpath("/proc/self/exe"))
    assert stamps.evaded == {"time": f"{name} asks by {call}(2) for {asked}"}
    assert listener.answered == [CONTINUE]


def test_every_rule_has_a_reason():
    for rule in TimeStamps.rules:
        stamps = TimeStamps()
        stamps.saw_call(Notification(1, os.getpid(), rule.call, 0, (0,) * 6), Listener())
        assert "time" in stamps.evaded
