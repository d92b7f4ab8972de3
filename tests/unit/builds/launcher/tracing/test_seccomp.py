"""The filter asks about what its rules say, and nothing else: run through an interpreter of BPF."""

import pytest
from classic_bpf import ALLOW, ASK, CALLS, FAIL, PROCESSOR, run
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.tracing import seccomp
from pytest_ftc.builds.launcher.tracing.seccomp import Condition, Rule

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


@given(flags=st.integers(0, 2**32 - 1))
def test_a_rule_can_ask_for_clear_bits_and_fail_at_once(flags):
    number = CALLS["openat"]
    program = seccomp.compile_filter(
        [
            Rule("openat", (Condition(2, "bit", (4,)), Condition(2, "clear", (3,)))),
            Rule("openat", (Condition(2, "bit", (1,)),), error=38),
        ]
    )
    result = ASK if flags & 4 and not flags & 3 else FAIL | 38 if flags & 1 else ALLOW
    assert run(program, number, [0, 0, flags, 0, 0, 0]) == result
    assert run(program, number + 1, [0, 0, flags, 0, 0, 0]) == ALLOW


@given(number=st.one_of(st.integers(0, 500), st.sampled_from(sorted(CALLS.values()))), arguments=WORDS)
def test_it_asks_about_what_the_rules_say(number, arguments):
    assert run(PROGRAM, number, arguments) == (ASK if wanted(number, arguments) else ALLOW)


@given(number=st.sampled_from(sorted(CALLS.values())), arguments=WORDS)
def test_it_lets_other_processors_be(number, arguments):
    assert run(PROGRAM, number, arguments, processor=0x40000028) == ALLOW


@given(name=st.sampled_from(["clock_gettime", "gettimeofday", "futex"]), arguments=WORDS)
def test_it_asks_about_the_other_numbers_of_the_same_calls(name, arguments):
    number = CALLS[name]
    assert run(PROGRAM, number | PROCESSOR.also, arguments) == (ASK if wanted(number, arguments) else ALLOW)


@pytest.mark.parametrize("number", [0, 13, 78, 228, 240, 265])
def test_it_asks_about_32_bit_calls_by_their_own_numbers(number):
    named = {known: name for name, known in PROCESSOR.calls_32.items()}.get(number, "")
    arguments = [0, 256, 0, 1, 0, 0]
    asked = any(rule.call == named for rule in RULES)
    assert PROCESSOR.audit_32 == 0 or run(PROGRAM, number, arguments, PROCESSOR.audit_32) == (ASK if asked else ALLOW)


def test_calls_that_this_processor_does_not_have_are_left_out():
    assert seccomp.compile_filter([Rule("no_such_call")]) == seccomp.compile_filter([])


def test_the_numbers_of_32_bit_calls_are_those_of_the_kernel():
    """From the header that asm/unistd.h includes for -m32."""
    import re
    import subprocess

    header = "#include <asm/unistd_32.h>\n" if PROCESSOR.calls_32 else ""
    done = subprocess.run(["gcc", "-E", "-dM", "-"], input=header, capture_output=True, text=True, check=True)
    known = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", done.stdout)}
    assert {name: known[name] for name in PROCESSOR.calls_32} == PROCESSOR.calls_32


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_numbers_are_those_of_the_kernel(name):
    import subprocess

    done = subprocess.run(
        ["gcc", "-E", "-P", "-include", "sys/syscall.h", "-"], input=f"SYS_{name}", capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == str(CALLS[name])
