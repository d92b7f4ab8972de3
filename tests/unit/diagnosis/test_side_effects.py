"""Which remedies change more than what differs."""

import hashlib
import subprocess

import pytest

from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.side_effects import changed_outputs
from pytest_ftc.model import BuildResult, BuildStatus, Field, Output, OutputType, Place, Role

KNOWN = [Key("app", "", "ELF section .debug_str, string 1", Field.CONTENT)]
SOURCE = "int f(int n) { int s = 0; for (int i = 0; i < n; i++) s += i * n; return s; }\n"


def build(folder, data, name="app"):
    digest = hashlib.sha256(data).hexdigest()
    (folder / digest).write_bytes(data)
    output = Output(path=name, type=OutputType.FILE, mode="0644", size=len(data), sha256=digest)
    return BuildResult(
        id="b", role=Role.REMEDY, environment={}, status=BuildStatus.OK, outputs=(output,), blobs=str(folder)
    )


def place(location, field=Field.CONTENT, member=""):
    key = Key("app", member, location, field)
    return key, Place(field=field, location=location, member=member, control=b"1", experiment=b"2")


def changed(folder, *places, before=b"x", after=b"y"):
    return dict(changed_outputs(KNOWN, build(folder, before), build(folder, after), dict(places)))


def test_what_differs_anyway_and_what_follows_from_it_may_change(tmp_path):
    known = (KNOWN[0], place(KNOWN[0].location)[1])
    follows = place("ELF section .debug_info, byte 0x10")
    assert changed(tmp_path, known, follows, place("zip entry mtime", Field.MTIME)) == {}


@pytest.mark.parametrize("location", ["ELF section .text, byte 0x10", "ELF section .rodata, string 3"])
def test_other_sections_may_not(tmp_path, location):
    assert changed(tmp_path, place(location)) == {"app": location}


def test_nor_members_that_never_differed_or_are_gone(tmp_path):
    assert changed(tmp_path, place("line 1", member="b.txt")) == {"app": "b.txt line 1"}
    assert changed(tmp_path, place("members", Field.NAME)) == {"app": "members"}


def test_nor_the_size_of_it_all(tmp_path):
    assert "its size" in changed(tmp_path, before=b"x" * 9000, after=b"y" * 3000)["app"]
    assert changed(tmp_path, before=b"x" * 3000, after=b"y" * 2500) == {}


def test_nor_how_much_code_there_is(tmp_path):
    objects = []
    for flags in (["-O2"], ["-O0"], ["-O2", "-g"]):
        file = tmp_path / "f.o"
        subprocess.run(["gcc", *flags, "-c", "-x", "c", "-o", file, "-"], input=SOURCE.encode(), check=True)
        objects.append(file.read_bytes())
    fast, slow, debug = objects
    assert "its code" in changed(tmp_path, before=fast, after=slow)["app"]
    assert "code" not in changed(tmp_path, before=fast, after=debug).get("app", "")
