"""Units of debug data, also in files that are damaged or made to fill the memory."""

import subprocess
import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.following.units import read_units
from pytest_ftc.model import BuildResult, BuildStatus, Output, OutputType, Role

NAMES = ["one.c", "two.c"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("units")
    for number, name in enumerate(NAMES):
        (folder / name).write_text(f"int f{number}(void) {{ return {number}; }}\n")
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", "lib.so", *NAMES], cwd=folder, check=True)
    for option in ("zlib", "zlib-gnu"):
        command = ["objcopy", f"--compress-debug-sections={option}", "lib.so", f"{option}.so"]
        subprocess.run(command, cwd=folder, check=True)
    return folder


def read(folder, data, member=""):
    (folder / ("0" * 64)).write_bytes(data)
    output = Output(path="a", type=OutputType.FILE, mode="0644", size=len(data), sha256="0" * 64)
    control = BuildResult(
        id="c", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=(output,), blobs=str(folder)
    )
    return read_units(control, "a", member)


@pytest.mark.parametrize("name", ["lib.so", "zlib.so"])
def test_each_unit_begins_somewhere_in_both_sections(program, tmp_path, name):
    units = read(tmp_path, (program / name).read_bytes())
    for section in ("info", "line"):
        assert [unit.name for unit in units[section]] == NAMES
        assert [unit.folder for unit in units[section]] == [str(program)] * 2
        assert units[section][0].start == 0 < units[section][1].start


def test_units_of_a_library_in_a_wheel_are_those_of_the_library(program, tmp_path):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.write(program / "lib.so", "pkg/lib.so")
    assert read(tmp_path, packed.getvalue(), "pkg/lib.so") == read(tmp_path, (program / "lib.so").read_bytes())
    assert read(tmp_path, packed.getvalue(), "pkg/other.so") == {}


def test_nothing_is_read_of_what_may_unpack_to_any_size(program, tmp_path):
    data = (program / "zlib-gnu.so").read_bytes()
    if b".zdebug_info" not in data:
        data = (program / "lib.so").read_bytes().replace(b".debug_info\0", b".zdebug_inf\0")
    assert read(tmp_path, data) == {}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_has_units_or_none(program, tmp_path_factory, data):
    content = bytearray((program / "lib.so").read_bytes())
    for _ in range(data.draw(st.integers(1, 40))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert read(tmp_path_factory.mktemp("damaged"), bytes(content)).keys() <= {"info", "line"}
