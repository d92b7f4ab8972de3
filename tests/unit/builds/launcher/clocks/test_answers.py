"""What a program gets in place of the kernel's answer, written into the memory of this process."""

import ctypes
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.clocks import answers
from pytest_ftc.builds.launcher.clocks.shown import Shown, stopped_at
from pytest_ftc.builds.launcher.tracing.seccomp import Notification

SHIFT = 398 * 86400
STANDS = stopped_at(1_700_000_000)
SHIFTS = st.integers(3600, 40 * 365 * 86400) | st.integers(-(30 * 365 * 86400), -3600)


class Listener:
    def __init__(self) -> None:
        self.answered: list[tuple[int, int]] = []

    def answer(self, _: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> None:
        self.answered.append((value, error))


def call(name: str, *arguments: int, native: bool = True) -> Notification:
    return Notification(1, os.getpid(), name, 0, (*arguments, *[0] * (6 - len(arguments))), native)


def pair(kind: type = ctypes.c_int64, seconds: int = 0) -> ctypes.Array:
    return (kind * 2)(seconds, 5)


@given(shift=SHIFTS)
def test_every_question_gets_the_same_moved_time(shift):
    for name, arguments in (("clock_gettime", (0, 1)), ("gettimeofday", (1, 0)), ("time", (1,))):
        buffer, listener = pair(), Listener()
        given_ = [ctypes.addressof(buffer) if argument == 1 else argument for argument in arguments]
        answers.give_time(call(name, *given_), listener, Shown(shift))
        assert abs(buffer[0] - shift - time.time()) < 5
        assert listener.answered == [(buffer[0] if name == "time" else 0, 0)]


@pytest.mark.parametrize("name", ["clock_gettime", "gettimeofday", "time"])
def test_32_bit_calls_get_small_numbers(name):
    buffer, listener = pair(ctypes.c_int32), Listener()
    address = ctypes.addressof(buffer)
    answers.give_time(
        call(name, *((0, address) if name == "clock_gettime" else (address,)), native=False), listener, Shown(SHIFT)
    )
    assert abs(buffer[0] - SHIFT - time.time()) < 5


def test_a_bad_address_is_an_error():
    listener = Listener()
    answers.give_time(call("clock_gettime", 0, 8), listener, Shown(SHIFT))
    assert listener.answered == [(0, 14)]


def test_nothing_is_written_for_a_thread_that_has_gone():
    buffer, listener, other = pair(), Listener(), os.open(os.devnull, os.O_RDONLY)  # reports no calls
    asks, waits = (
        call("clock_gettime", 0, ctypes.addressof(buffer)),
        call("clock_nanosleep", 0, 1, ctypes.addressof(buffer)),
    )
    answers.give_time(asks._replace(listener=other), listener, Shown(SHIFT))
    answers.move_back(waits._replace(listener=other), Shown(SHIFT), set())
    os.close(other)
    assert list(buffer) == [0, 5]
    assert not listener.answered


def test_the_settings_of_the_clock_hold_the_moved_time_and_cannot_be_changed():
    buffer, listener = ctypes.create_string_buffer(208), Listener()
    answers.give_time(call("adjtimex", ctypes.addressof(buffer)), listener, Shown(SHIFT))
    assert abs(int.from_bytes(buffer.raw[72:80], "little") - SHIFT - time.time()) < 5
    assert listener.answered[0][1] == 0
    buffer.raw = b"\1" + bytes(207)
    answers.give_time(call("adjtimex", ctypes.addressof(buffer)), listener, Shown(SHIFT))
    assert listener.answered[1] == (0, 1)


@given(shift=SHIFTS, ahead=st.integers(0, 600))
def test_a_moved_point_in_time_is_turned_back_once(shift, ahead):
    end = int(time.time()) + ahead
    buffer = pair(seconds=end + shift)
    notification = call("clock_nanosleep", 0, 1, ctypes.addressof(buffer))
    moved: set[tuple[int, int, int]] = set()
    for _ in range(2):
        answers.move_back(notification, Shown(shift), moved)
        assert list(buffer) == [end, 5]


@given(shift=SHIFTS, end=st.integers(1_000_000_000, 4_000_000_000))
def test_a_fixed_date_is_turned_back_whatever_the_time_is(shift, end):
    buffer, moved = pair(seconds=end), set()
    answers.move_back(call("clock_nanosleep", 0, 1, ctypes.addressof(buffer)), Shown(shift), moved)
    assert list(buffer) == [end - shift, 5]
    buffer[0] = end
    answers.move_back(call("clock_nanosleep", 0, 1, ctypes.addressof(buffer)), Shown(shift), moved)
    assert list(buffer) == [end - shift, 5]


@pytest.mark.parametrize("shift", [SHIFT, -SHIFT])
def test_a_timer_of_another_clock_is_left_alone(shift):
    end = int(time.monotonic()) + 5
    buffer = (ctypes.c_int64 * 4)(0, 0, end, 7)
    answers.move_back(call("timerfd_settime", 3, 1, ctypes.addressof(buffer)), Shown(shift), set())
    assert list(buffer) == [0, 0, end, 7]


@pytest.mark.parametrize("name", ["clock_gettime", "gettimeofday", "time", "adjtimex"])
def test_a_clock_that_stands_still_gives_one_answer(name):
    told = []
    for _ in range(2):
        buffer, listener = ctypes.create_string_buffer(208), Listener()
        address = ctypes.addressof(buffer)
        answers.give_time(call(name, *((0, address) if name == "clock_gettime" else (address,))), listener, STANDS)
        place = 72 if name == "adjtimex" else 0
        told.append((buffer.raw[place : place + 16], listener.answered[0][0] if name == "time" else 0))
        time.sleep(0.002)
    assert told[0] == told[1]
    assert int.from_bytes(told[0][0][:8], "little") == 1_700_000_000
    rest = {"clock_gettime": (123_456_789,), "gettimeofday": (123_456,), "time": (0,)}.get(name, (123_456, 123_456_789))
    assert int.from_bytes(told[0][0][8:], "little") in rest


def test_who_waits_for_a_clock_that_stands_still_waits_as_long_as_it_wants_to():
    buffer = pair(seconds=1_700_000_000 + 7)
    answers.move_back(call("clock_nanosleep", 0, 1, ctypes.addressof(buffer)), STANDS, set())
    assert 6 < buffer[0] + buffer[1] / 1e9 - time.time() < 7.1
