"""The filter asks about what its rules say, and nothing else: run through an interpreter of BPF."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing import seccomp
from pytest_ftc.builds.launcher.tracing.seccomp import Condition, Rule

ASK, ALLOW = 0x7FC00000, 0x7FFF0000
PROCESSOR = this_processor()
CALLS = PROCESSOR.calls


def run(program: bytes, number: int, arguments: list[int], processor: int = PROCESSOR.audit) -> int:
    """Return what the classic BPF `program` returns for a system call, see <linux/seccomp.h>."""
    data = struct.pack("=IIQ6Q", number, processor, 0, *arguments)
    instructions = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, yes, no, value = instructions[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x15:
            at += yes if accumulator == value else no
        elif code == 0x45:
            at += yes if accumulator & value else no
        else:
            assert code == 0x06
            return value


RULES = (
    Rule("clock_gettime", (Condition(0, "in", (0, 5, 11)),)),
    Rule("gettimeofday"),
    Rule("futex", (Condition(1, "bit", (256,)), Condition(3, "nonzero"))),
)
PROGRAM = seccomp.compile_filter(RULES)
WORDS = st.lists(
    st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 5, 11, 256, 257, 1 << 40])), min_size=6, max_size=6
)


def wanted(number: int, arguments: list[int]) -> bool:
    low = [argument & 0xFFFFFFFF for argument in arguments]
    return (
        (number == CALLS["clock_gettime"] and low[0] in (0, 5, 11))
        or number == CALLS["gettimeofday"]
        or (number == CALLS["futex"] and bool(low[1] & 256) and arguments[3] != 0)
    )


@given(number=st.one_of(st.integers(0, 500), st.sampled_from(sorted(CALLS.values()))), arguments=WORDS)
def test_it_asks_about_what_the_rules_say(number, arguments):
    assert run(PROGRAM, number, arguments) == (ASK if wanted(number, arguments) else ALLOW)


@given(number=st.sampled_from(sorted(CALLS.values())), arguments=WORDS)
def test_it_lets_other_processors_be(number, arguments):
    assert run(PROGRAM, number, arguments, processor=0x40000003) == ALLOW


def test_calls_that_this_processor_does_not_have_are_left_out():
    assert seccomp.compile_filter([Rule("no_such_call")]) == seccomp.compile_filter([])


@pytest.mark.parametrize("name", ["ptrace", "futex", "clock_gettime", "openat", "connect"])
def test_the_numbers_are_those_of_the_kernel(name):
    import subprocess

    done = subprocess.run(
        ["gcc", "-E", "-P", "-include", "sys/syscall.h", "-"], input=f"SYS_{name}", capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == str(CALLS[name])
