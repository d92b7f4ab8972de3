"""Programs that count the processors by CPUID."""

import subprocess

import pytest

from pytest_ftc.builds.launcher.tracing.cpuid import Counters

CODE = "int main(void) { unsigned a = %s, b, c = 1, d; %s return b; }"
ASK = '__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));'


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize(
    ("leaf", "counts"), [("0xb", True), ("4", True), ("0x80000008", True), ("0", False), ("7", False)]
)
def test_the_leaf_decides(tmp_path, level, leaf, counts):
    program = tmp_path / "program"
    command = ["gcc", level, "-x", "c", "-o", str(program), "-"]
    subprocess.run(command, input=CODE % (leaf, ASK), text=True, check=True)
    assert Counters().counts(str(program), made=True) is counts
    assert not Counters().counts(str(program), made=False)


def test_a_file_is_searched_again_when_it_has_changed(tmp_path):
    program, counters = tmp_path / "program", Counters()
    program.write_bytes(b"\x7fELF")
    assert not counters.counts(str(program), made=True)
    program.write_bytes(b"\x7fELF\xb8\x0b\0\0\0\x0f\xa2")
    assert counters.counts(str(program), made=True)


def test_known_programs_count_and_what_is_no_program_does_not(tmp_path):
    script = tmp_path / "script"
    script.write_bytes(b"#!/bin/sh\n\xb8\x0b\0\0\0\x0f\xa2")
    assert Counters().counts("/usr/bin/cpuid", made=False)
    assert not Counters().counts(str(script), made=True)
    assert not Counters().counts(str(tmp_path / "missing"), made=True)
