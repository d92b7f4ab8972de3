"""Which remedies change more than what differs."""

import hashlib
import subprocess
from dataclasses import replace

import pytest

from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.side_effects import changed_outputs
from pytest_ftc.model import BuildResult, BuildStatus, Field, Output, OutputType, Place, Role

FIRST = Key("app", "", "ELF section .debug_str, string 1", Field.CONTENT)
KNOWN = {FIRST: Place(field=Field.CONTENT, location=FIRST.location, control=b"1", experiment=b"2")}
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


def changed(folder, *places, before=b"x", after=b"y", **how):
    return dict(changed_outputs(KNOWN, build(folder, before), build(folder, after), dict(places), **how))


def test_what_differs_anyway_and_what_follows_from_it_may_change(tmp_path):
    known = (FIRST, place(FIRST.location)[1])
    follows = place("ELF section .debug_info, byte 0x10")
    assert changed(tmp_path, known, follows, place("zip entry mtime", Field.MTIME)) == {}


@pytest.mark.parametrize("location", ["ELF section .text, byte 0x10", "ELF section .rodata, string 3"])
def test_other_sections_may_not(tmp_path, location):
    assert changed(tmp_path, place(location)) == {"app": location}


@pytest.mark.parametrize("location", ["ELF section .text, byte 0x10", "ELF section .rodata, string 3"])
def test_they_may_if_the_remedy_lays_programs_out_anew_but_not_their_sizes_or_other_files(tmp_path, location):
    assert changed(tmp_path, place(location), lays_out=True) == {}
    assert "its size" in changed(tmp_path, place(location), before=b"x" * 9000, after=b"y" * 3000, lays_out=True)["app"]
    other = "line 1"
    assert changed(tmp_path, place(other, member="b.txt"), lays_out=True) == {"app": f"b.txt {other}"}


@pytest.mark.parametrize(("after", "may"), [(b"p-0a1b2c3d.p.0a1b2c3d.o", True), (b"q-9f8e7d6c.p.9f8e7d6c.o", False)])
def test_only_a_digest_in_a_name_may(tmp_path, after, may):
    key, one = place("ar member name", Field.NAME)
    renamed = replace(one, control=b"p-9f8e7d6c.p.9f8e7d6c.o", experiment=after)
    assert (changed(tmp_path, (key, renamed)) == {}) == may


def test_a_string_with_the_build_path_may_whether_it_is_listed_or_not(tmp_path):
    key, one = place("ELF section .rmeta, string 7210, byte 0x10")
    one = replace(one, control=b"+/build/a/src/iter.rs", experiment=b"src/iter.rs")
    before, after = (replace(build(tmp_path, data), environment={"build_path": "/build/a"}) for data in (b"x", b"y"))
    assert changed_outputs(KNOWN, before, after, {key: one}) == {}
    assert changed_outputs(KNOWN, before, after, {key: replace(one, control=b"+/usr/src/iter.rs")}) != {}


def test_a_string_may_become_the_end_of_the_one_that_the_remedy_changes(tmp_path):
    stamp, end = (place(f"ELF section .rodata, string {number}, byte 0x10") for number in (1584, 1582))
    known = {stamp[0]: replace(stamp[1], control=b"7.0.15host-a-17960294240ce6913bd", experiment=b"x")}
    merged = replace(end[1], control=b"ce6913bd", experiment=b"7.0.1517149792890ce6913bd")
    before, after = build(tmp_path, b"x"), build(tmp_path, b"y")
    assert changed_outputs(known, before, after, {end[0]: merged}) == {}
    other = replace(merged, experiment=b"something else that ends with ce6913bd")
    assert changed_outputs(known, before, after, {end[0]: other}) != {}


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


def known(*keys):
    return {key: Place(field=key.field, location=key.location, control=b"1", experiment=b"2") for key in keys}


def effects(folder, known, *places, after=("app", b"y")):
    name, data = after
    return dict(changed_outputs(known, build(folder, b"x"), build(folder, data, name), dict(places)))


@pytest.mark.parametrize(("mode", "may"), [(b"0000", True), (b"0600", False)])
def test_an_entry_without_a_mode_may_get_one(tmp_path, mode, may):
    key, one = place("zip entry mode", Field.MODE, "META-INF/")
    given = replace(one, control=mode, experiment=b"0755")
    assert (changed(tmp_path, (key, given)) == {}) == may


@pytest.mark.parametrize("field", [Field.MODE, Field.OWNER])
def test_the_mode_of_a_private_file_may_not_change_with_those_of_others(tmp_path, field):
    differs = known(Key("app", "a", "tar header", field), Key("app", "b", "tar header", field))
    assert effects(tmp_path, differs, place("tar header", field, "a"), place("tar header", field, "b")) == {}
    assert effects(tmp_path, differs, place("tar header", field, "key")) == {"app": "key tar header"}


def test_an_order_that_never_differed_may_not_change(tmp_path):
    times = known(Key("app", "a", "tar header mtime", Field.MTIME))
    order = known(Key("app", "", "order of members", Field.ORDER))
    assert effects(tmp_path, times, place("order of members", Field.ORDER)) == {"app": "order of members"}
    assert effects(tmp_path, order, place("order of members", Field.ORDER)) == {}


@pytest.mark.parametrize(("kind", "may"), [("zip entry", True), ("tar member", True), ("ar member", False)])
def test_archives_whose_members_are_found_by_name_may_be_sorted(tmp_path, kind, may):
    times = known(Key("app", "a", "zip entry mtime", Field.MTIME))
    assert (effects(tmp_path, times, place(f"{kind} order", Field.ORDER)) == {}) == may


def test_times_of_all_members_may_change(tmp_path):
    times = known(Key("app", "a", "tar header mtime", Field.MTIME))
    assert effects(tmp_path, times, place("tar header mtime", Field.MTIME, "b")) == {}


def test_the_content_of_a_member_whose_time_differs_may_not(tmp_path):
    times = known(Key("app", "a", "tar header mtime", Field.MTIME))
    assert effects(tmp_path, times, place("line 1", member="a")) == {"app": "a line 1"}


def line(number, control, experiment):
    key = Key("app", "", f"line {number}", Field.CONTENT)
    return key, Place(field=Field.CONTENT, location=key.location, control=control, experiment=experiment)


def test_a_line_that_never_differed_may_not_go(tmp_path):
    dated = dict([line(1, b"2026\n", b"2027\n")])
    assert effects(tmp_path, dated, line(1, b"2026\n", b"1970\n")) == {}
    assert effects(tmp_path, dated, line(1, b"2026\n", b"1970\n"), line(2, b"new\n", b"stale\n")) == {
        "app": "a line: new"
    }
    assert effects(tmp_path, dated, line(1, b"2026\ntests: passed\n", b"1970\n")) == {"app": "a line: tests: passed"}


def test_a_line_that_only_moves_is_still_there(tmp_path):
    listed = dict([line(1, b"a\n", b"b\n"), line(2, b"b\n", b"a\n")])
    moved = [line(1, b"a\n", b"c\n"), line(2, b"b\n", b"a\n"), line(3, b"c\n", b"b\n")]
    assert effects(tmp_path, listed, *moved) == {}


def test_no_output_may_go(tmp_path):
    dated = dict([line(1, b"2026\n", b"2027\n")])
    assert effects(tmp_path, dated, after=("other", b"y")) == {"app": "it is gone"}
    renamed = known(Key("app", "", "the output's name", Field.NAME))
    assert effects(tmp_path, renamed, after=("other", b"y")) == {}


def test_tables_beside_strings_that_a_remedy_moves_are_expected_to_change(tmp_path):
    key, table = place("ELF section .rodata, byte 0x69")
    for other, expected in (("string 2, byte 0x1b", {}), ("byte 0x1", {"app": key.location})):
        known = dict([place(f"ELF section .rodata, {other}")])
        one, healed = build(tmp_path, b"x"), build(tmp_path, b"y")
        assert dict(changed_outputs(known, one, healed, {key: table})) == expected
