"""Programs in which only addresses differ."""

import shutil
import subprocess
import sys

import pytest

from pytest_ftc.diagnosis.trials.elf_sections import differ_in_addresses, sections_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's format")

SOURCE = """
__attribute__((used)) static const char text[] = "%s";
int numbers[64] = {1, 2, 3};
int use(int at) { return numbers[at %% 64] + text[at %% 3]; }
int main(int count, char **given) { int sum = 0; for (int i = 0; i < 64; i++) sum += use(i + count); return sum; }
"""


@pytest.fixture
def build(tmp_path):
    assert shutil.which("gcc")

    def build(name: str, text: str, *options: str):
        (tmp_path / f"{name}.c").write_text(SOURCE % text)
        program = tmp_path / name
        subprocess.run(["gcc", "-O1", *options, "-o", program, tmp_path / f"{name}.c"], check=True)
        return program

    return build


def test_what_a_longer_text_has_moved(build):
    one, other = build("one", "/a"), build("other", "/a/far/longer/path" * 9)
    assert one.read_bytes() != other.read_bytes()
    assert sections_of(one)[".text"].is_code
    assert differ_in_addresses(one, other, ".text")
    assert not differ_in_addresses(one, other, ".rodata")
    assert not differ_in_addresses(one, other, ".nothing")


@pytest.mark.parametrize("options", [("-O0",), ("-O1", "-fstack-protector-all")])
def test_other_code(build, options):
    assert not differ_in_addresses(build("one", "/a"), build("other", "/a", *options), ".text")


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + b"\xff" * 100, b"#!/bin/sh\n"])
def test_any_other_file_has_no_sections(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert sections_of(tmp_path / "file") == {}
    assert not differ_in_addresses(tmp_path / "file", tmp_path / "file", ".text")
