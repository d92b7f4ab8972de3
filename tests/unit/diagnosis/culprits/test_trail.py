"""The way of a value over files and pipes, from made-up traces; tests/functional/test_field_commands.py has real ones."""

from dataclasses import replace

import pytest

from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles
from pytest_ftc.diagnosis.culprits.sought import Sought
from pytest_ftc.diagnosis.culprits.trail import Trail, follow
from pytest_ftc.model import Field, Place, Program, Trace
from pytest_ftc.model.place import FileFormat


def program(*argv: str, parent: int = -1, **more) -> Program:
    return Program(pid=1, argv=argv, folder="/b", program=argv[0], parent=parent, exit_code=0, **more)


LD, INSTALL, SED, OTHER, STAMP, GZIP, DATE, SHELL, MD5, AS = PROGRAMS = (
    program("ld"),
    program("install"),
    program("perl"),
    program("python3", "-m", "installer"),
    program("stamp"),
    program("gzip", "-c"),
    program("date"),
    program("/bin/sh", "-c", "..."),
    program("md5sum"),
    program("as"),
)
PIPE = "pipe:[7]"


def trail(path: str, *, values=("/built",), place=None, programs=PROGRAMS, cause="time", **recorded) -> Trail:
    names = {id(one): number for number, one in enumerate(programs)}
    numbered = {
        key: tuple((names[id(one[0])], *one[1:]) for one in found)
        for key, found in {"read": (), "written": (), "contents": (), "moved": (), **recorded}.items()
    }
    trace = Trace(programs=programs, connected=(), gaps=(), **numbered)
    place = place or Place(field=Field.CONTENT, location="line 1", control=b"", experiment=b"")
    needles = Needles(tuple((value,) for value in values))
    return follow(Flow(trace), path, Sought(place=place, cause=cause, needles=needles))


def commands(found: Trail) -> tuple[str | None, list[str]]:
    return found.program.argv[0] if found.program else None, [one.argv[0] for one in found.chain]


def test_who_made_what_was_installed_is_named():
    found = trail("/b/dist/hi", read=((INSTALL, "/b/hi"),), written=((LD, "/b/hi"), (INSTALL, "/b/dist/hi")))
    assert commands(found) == ("ld", ["ld", "install"])


def test_what_was_there_before_the_build_has_no_other_maker():
    found = trail("/b/dist/hi", read=((INSTALL, "/b/hi"),), written=((INSTALL, "/b/dist/hi"),))
    assert commands(found) == ("install", ["install"])
    assert commands(trail("/b/nothing")) == (None, [])


def test_who_changes_a_file_of_the_same_name_is_named_unless_the_value_was_there_already():
    given = {"read": ((SED, "/b/in/hi"),), "written": ((STAMP, "/b/in/hi"), (SED, "/b/hi"))}
    assert commands(trail("/b/hi", contents=((STAMP, "/b/in/hi", "@DIR@"),), **given))[0] == "perl"
    assert commands(trail("/b/hi", contents=((STAMP, "/b/in/hi", "x /built"),), **given))[0] == "stamp"


def test_copies_of_copies_are_followed_over_other_names_and_circles_end():
    read = ((INSTALL, "/b/two"), (OTHER, "/b/one"), (LD, "/b/three"))
    written = ((INSTALL, "/b/three"), (OTHER, "/b/two"), (LD, "/b/one"))
    contents = ((LD, "/b/one", "/built"), (OTHER, "/b/two", "/built"))
    found = trail("/b/three", read=read, written=written, contents=contents)
    assert commands(found) == ("ld", ["ld", "python3", "install"])


def test_of_a_file_that_is_written_again_and_again_the_last_writer_is_followed_back_in_time():
    text = "# Translations of the program.\n# Nobody knows who made them.\n/built\n"
    main = program("python3", began=0.0, ended=9.0)
    extract, merge, attributes = (
        program(name, parent=0, began=float(at), ended=at + 0.5)
        for name, at in (("xgettext", 1), ("msgmerge", 2), ("msgattrib", 3))
    )
    found = trail(
        "/b/en.po",
        programs=(main, extract, merge, attributes),
        read=((main, PIPE), (merge, "/b/en.pot"), (merge, "/b/en.po"), (main, "/b/en.po"), (attributes, "/b/en.po")),
        written=((extract, PIPE), (main, "/b/en.pot"), *((one, "/b/en.po") for one in (merge, main, attributes))),
        contents=(
            (extract, PIPE, text),
            (main, "/b/en.pot", text),
            *((one, "/b/en.po", text) for one in (merge, main, attributes)),
        ),
        place=Place(field=Field.CONTENT, location="line 3", control=b"", experiment=b""),
    )
    assert commands(found)[0] == "xgettext"
    assert commands(found)[1][-1] == "msgattrib"


def test_what_the_kernel_copied_came_from_there():
    written = ((DATE, "/b/n"), (OTHER, "/b/m"), (OTHER, "/b/other"), (LD, "/b/config"))
    found = trail(
        "/b/m", read=((OTHER, "/b/config"), (OTHER, "/b/n")), written=written, copied=((OTHER, "/b/n", "/b/m"),)
    )
    assert commands(found) == ("date", ["date", "python3"])


@pytest.mark.parametrize("location", ["line 3", "line 3, column 5302 (part 210)"])
def test_each_part_of_a_file_is_of_who_wrote_it(location):
    written = ((DATE, "/b/a"), (STAMP, "/b/a"))
    told = {"written": written, "contents": ((DATE, "/b/a", "one\ntwo\n"), (STAMP, "/b/a", "one\n"))}
    place = Place(field=Field.CONTENT, location=location, control=b"", experiment=b"")
    assert commands(trail("/b/a", values=("two",), **told))[0] == "date"
    assert commands(trail("/b/a", values=("one",), place=place, **told))[0] == "stamp"


def test_who_opens_a_file_to_change_it_and_does_not_only_reads_it():
    written = ((DATE, "/b/x.db"), (OTHER, "/b/x.db"))
    given = {"written": written, "taken": ((OTHER, "/b/x.db"),)}
    assert commands(trail("/b/x.db", **given))[0] == "date"
    assert commands(trail("/b/x.db", contents=((OTHER, "/b/x.db", "/built"),), **given))[0] == "python3"


def test_a_digest_follows_from_what_came_over_the_pipe_and_a_header_from_who_compressed():
    given = {"written": ((MD5, "/b/a"), (SHELL, "/b/a")), "taken": ((MD5, PIPE),)}
    contents = ((DATE, PIPE, "2026"), (MD5, "/b/a", "digest"))
    assert commands(trail("/b/a", values=("digest",), contents=contents, **given)) == ("date", ["date", "md5sum"])
    two = {**given, "read": ((MD5, "/b/n"),), "written": (*given["written"], (STAMP, "/b/n"))}
    assert commands(trail("/b/a", values=("digest",), contents=contents, **two)) == (None, ["md5sum"])


def test_what_is_legible_in_gzip_is_its_header():
    written = ((DATE, "/b/note"), (GZIP, "/b/part"))
    contents = ((DATE, "/b/note", "noon"), (GZIP, "/b/part", "\x1f\x8b\x08\x08TIME\0\x03note\0squeezed"))
    given = {"read": ((GZIP, "/b/note"),), "written": written, "contents": contents}
    for value, first in (("TIME", "gzip"), ("note", "gzip"), ("noon", "date"), ("squeezed", "date")):
        assert commands(trail("/b/part", values=(value,), **given))[0] == first


def test_what_an_archive_says_of_its_member_the_archiver_wrote_whoever_copied_it():
    place = Place(field=Field.MTIME, location="tar mtime", control=b"", experiment=b"", format=FileFormat.TAR)
    tar, cat = program("tar"), program("cat")
    found = trail(
        "/b/out",
        place=place,
        programs=(tar, cat, DATE),
        read=((cat, "/b/a.tar"), (tar, "/b/a")),
        written=((DATE, "/b/a"), (tar, "/b/a.tar"), (cat, "/b/out")),
    )
    assert commands(found) == ("tar", ["tar", "cat"])


def test_debug_information_is_of_the_compiler_and_not_of_a_header_with_the_same_path():
    driver, cc1 = program("gcc", "-c"), program("/usr/lib/cc1", parent=0)
    assembler = program("as", parent=0)
    place = Place(field=Field.CONTENT, location="ELF section .debug_line_str, string 1", control=b"", experiment=b"")
    given = {
        "programs": (driver, cc1, assembler, SHELL),
        "read": ((assembler, "/t/a.s"), (cc1, "/b/config.h")),
        "written": ((SHELL, "/b/config.h"), (cc1, "/t/a.s"), (assembler, "/b/a.o")),
        "contents": ((SHELL, "/b/config.h", "/built"), (cc1, "/t/a.s", "/built"), (assembler, "/b/a.o", "/built")),
    }
    assert commands(trail("/b/a.o", place=place, **given)) == ("gcc", ["gcc"])
    assert commands(trail("/b/a.o", **given))[0] == "/bin/sh"


def test_a_file_is_known_by_its_earlier_names_and_those_of_its_folder():
    moved = ((INSTALL, "/b/tmp", "/b/dist"), (INSTALL, "/b/tmp/x.1", "/b/tmp/x"))
    assert commands(trail("/b/dist/x", written=((DATE, "/b/tmp/x.1"),), moved=moved))[0] == "date"


def test_a_program_that_began_later_wrote_nothing_of_what_was_read():
    early = program("cp", began=1, ended=2)
    late = program("date", began=3, ended=4)
    given = {"read": ((early, "/b/a"),), "written": ((early, "/b/b"), (late, "/b/a"))}
    assert commands(trail("/b/b", programs=(early, late), **given))[0] == "cp"


def test_what_a_program_was_given_as_an_argument_was_made_by_who_wrote_it_to_who_started_the_program():
    shell, date, prog = SHELL, program("date", parent=0), program("prog", "--stamp=/built", parent=0)
    given = {"programs": (shell, date, prog), "written": ((prog, "/b/out"),), "contents": ((date, PIPE, "/built"),)}
    assert commands(trail("/b/out", read=((shell, PIPE),), **given)) == ("date", ["date", "prog"])
    # A shell that has it from its own text is not the place to change it.
    assert commands(trail("/b/out", **given)) == ("prog", ["prog"])


def test_who_wrote_only_the_value_comes_before_who_wrote_it_among_others():
    shell, every = SHELL, program("uname", "-a", parent=0)
    name, prog = program("uname", "-n", parent=0), program("prog", "--host=/built", parent=0)
    given = {
        "programs": (shell, every, name, prog),
        "read": ((shell, PIPE), (shell, "pipe:[8]")),
        "written": ((prog, "/b/out"),),
        "contents": ((every, PIPE, "Linux /built 6.1\n"), (name, "pipe:[8]", "/built\n")),
    }
    assert trail("/b/out", cause="domain_host", **given).program is name


def test_a_script_that_starts_a_program_with_a_value_of_its_own_made_it_over_shells_too():
    script, shell = program("python3", "build.py"), program("sh", "-c", "prog /built", parent=0)
    prog = program("prog", "/built", parent=1)
    given = {"programs": (script, shell, prog), "written": ((prog, "/b/out"), (script, "/b/a"))}
    assert commands(trail("/b/out", read=((script, "/b/a"),), **given)) == ("python3", ["python3", "prog"])


def test_who_read_a_value_only_later_did_not_pass_it_on():
    make = program("make", began=0)
    prog, date = program("prog", "/built", parent=0, began=1), program("date", parent=0, began=2)
    given = {"programs": (make, prog, date), "written": ((prog, "/b/out"),), "contents": ((date, PIPE, "/built"),)}
    assert commands(trail("/b/out", read=((make, PIPE),), **given))[0] == "prog"


def test_an_entry_of_an_archive_within_another_one_is_of_who_wrote_the_inner_one():
    inner, outer = program("tar", "cf", "in.tar"), program("zip", "out.zip")
    place = Place(field=Field.MTIME, location="", control=b"", experiment=b"", format=FileFormat.TAR)
    given = {
        "programs": (inner, outer, DATE),
        "read": ((outer, "/b/x/in.tar"), (inner, "/b/a"), (outer, "/b/a")),
        "written": ((DATE, "/b/a"), (inner, "/b/x/in.tar"), (outer, "/b/out.zip")),
    }
    for member, first in (("x/in.tar/a", "tar"), ("a", "zip"), ("other/in.tar/a", "zip")):
        named = replace(place, member=member)
        assert commands(trail("/b/out.zip", place=named, **given))[0] == first, member


def test_what_nobody_else_can_have_told_is_of_the_only_one_who_can_over_all_forms():
    make, nproc = program("make", began=0), program("nproc", parent=0, began=1)
    filtered, shell = program("sed", parent=0, began=2), program("/bin/sh", "-c", "printf 2 > out", parent=0, began=3)
    given = {
        "programs": (make, nproc, filtered, shell, DATE),
        "read": ((make, "/b/jobs.mk"),),
        "taken": ((filtered, PIPE),),
        "written": ((filtered, "/b/jobs.mk"), (shell, "/b/out")),
        "contents": ((nproc, PIPE, "2"),),
        "values": (),
        "cause": "num_cpus",
    }
    assert commands(trail("/b/out", **given)) == ("nproc", ["nproc", "sed", "/bin/sh"])
    # What another one wrote to what make read may have told it too.
    other = {**given, "written": (*given["written"], (DATE, "/b/x.mk")), "read": (*given["read"], (make, "/b/x.mk"))}
    assert commands(trail("/b/out", **other))[0] == "nproc"
    unknown = {
        **other,
        "programs": (make, nproc, filtered, shell, STAMP),
        "written": (*given["written"], (STAMP, "/b/x.mk")),
    }
    assert commands(trail("/b/out", **unknown)) == (None, ["/bin/sh"])


def test_what_shells_have_in_variables_is_of_a_child_only_if_they_wrote_nothing_of_their_own():
    shell, names, join = (
        program("/bin/sh", began=0),
        program("id", parent=0, began=1),
        program("cat", parent=0, began=2),
    )
    given = {
        "programs": (shell, names, join),
        "read": ((join, "/b/h"),),
        "written": ((shell, "/b/h"), (names, "/b/h"), (join, "/b/out")),
        "values": (),
        "cause": "user_group",
    }
    assert commands(trail("/b/out", **given))[0] == "id"
    two = {**given, "read": ((join, "/b/h"), (join, "/b/g")), "written": (*given["written"], (shell, "/b/g"))}
    assert commands(trail("/b/out", **two))[0] == "id"
    assert commands(trail("/b/out", contents=((shell, "/b/g", "of a variable"),), **two))[0] is None
    # What a filter was given by a shell is of the text of that shell, whatever else it read.
    sed = program("sed", "s/@USER@/root/", parent=0, began=2)
    filtered = {**given, "programs": (shell, names, sed), "read": (), "written": ((names, PIPE), (sed, "/b/out"))}
    assert commands(trail("/b/out", **{**filtered, "values": ("root",)}, taken=((shell, PIPE),)))[0] == "sed"


def test_a_program_of_which_nothing_is_known_may_have_brought_in_anything():
    given = {"read": ((OTHER, "/b/n"),), "written": ((DATE, "/b/n"), (OTHER, "/b/a"))}
    assert commands(trail("/b/a", values=("digest",), contents=((OTHER, "/b/a", "digest"),), **given))[0] == "python3"


def test_a_compile_is_not_where_it_begins_if_what_it_reads_was_made():
    driver, cc1, other = program("cc", "-c"), program("cc1", parent=0), program("perl", "x.pl", hash_seed="")
    given = {
        "programs": (driver, cc1, other, SHELL),
        "read": ((cc1, "/b/x.h"), (cc1, "/b/config.h")),
        "written": ((other, "/b/x.h"), (SHELL, "/b/config.h"), (cc1, "/b/x.s")),
        "values": (),
    }
    assert commands(trail("/b/x.s", cause="hash_seed", **given)) == ("perl", ["perl", "cc"])
    # The compiler can know the time, and so can the program that made the header.
    assert commands(trail("/b/x.s", cause="time", **given)) == (None, ["cc"])
    assert commands(trail("/b/x.s", cause="build_path", **given)) == ("cc", ["cc"])


def test_the_order_of_what_several_wrote_is_not_that_of_what_they_read():
    place = Place(field=Field.ORDER, location="line order", control=b"", experiment=b"")
    given = {
        "read": ((MD5, "/b/n"), (INSTALL, "/b/n")),
        "written": ((DATE, "/b/n"), (MD5, "/b/a"), (INSTALL, "/b/a")),
        "contents": ((MD5, "/b/a", "one"), (INSTALL, "/b/a", "two")),
    }
    assert commands(trail("/b/a", place=place, values=(), **given)) == ("install", ["install"])


def test_a_name_is_of_who_made_the_file_with_it():
    place = Place(field=Field.NAME, location="zip entry name", control=b"", experiment=b"", format=FileFormat.ZIP)
    given = {
        "read": ((OTHER, "/b/p/x7"), (OTHER, "/b/p/y")),
        "written": ((STAMP, "/b/p/x7"), (LD, "/b/p/y"), (OTHER, "/b/o")),
    }
    assert commands(trail("/b/o", place=place, values=("p/x7",), **given)) == ("stamp", ["stamp", "python3"])
    assert commands(trail("/b/o", place=place, values=("p/z",), **given))[0] == "python3"


def test_who_was_given_a_path_has_it_from_there_and_not_from_what_it_copies():
    lists = program("python3", "list.py", "/built")
    given = {
        "programs": (lists, LD),
        "read": ((lists, "/b/f.o"),),
        "written": ((LD, "/b/f.o"), (lists, "/b/list"), (lists, "/b/g.o")),
        "contents": ((LD, "/b/f.o", "ELF /built"), (lists, "/b/list", "/built/g.o"), (lists, "/b/g.o", "ELF /built")),
        "cause": "build_path",
    }
    assert commands(trail("/b/list", **given))[0] == "python3"
    assert commands(trail("/b/g.o", **given))[0] == "ld"


def test_what_the_kernel_copied_holds_the_value_too():
    copy, awk = program("cp"), program("awk")
    given = {
        "programs": (DATE, copy, awk),
        "read": ((copy, "/b/a"), (awk, "/b/c")),
        "written": ((DATE, "/b/a"), (copy, "/b/c"), (awk, "/b/o")),
        "copied": ((copy, "/b/a", "/b/c"),),
        "contents": ((DATE, "/b/a", "x /built"), (awk, "/b/o", "/built")),
    }
    assert commands(trail("/b/o", **given)) == ("date", ["date", "cp", "awk"])


@pytest.mark.parametrize(
    ("time", "first"),
    [(("-t", "200001010101"), "touch"), (("--date=2000-01-01 10:00",), "touch"), (("-d2000-01-01",), "touch"),
     (("-d", "@86400"), "zip"), (("-d", "2000-01-01T00:00:00Z"), "zip"), (("-d", "2000-01-01 00:00 +0100"), "zip"),
     (("-r", "other"), "zip")],
)  # fmt: skip
def test_a_time_that_touch_gave_a_packed_file_in_local_time_is_of_touch(time, first):
    touch, pack = program("touch", *time, "p/a", began=1), program("zip", "-r", "o", "p", began=2)
    place = Place(
        field=Field.MTIME, location="zip extra time", control=b"", experiment=b"", format=FileFormat.ZIP, member="p/a"
    )
    given = {"programs": (touch, pack), "read": ((pack, "/b/p/a"),), "written": ((pack, "/b/o"),)}
    assert commands(trail("/b/o", place=place, cause="timezone", **given))[0] == first
    assert commands(trail("/b/o", place=place, cause="time", **given))[0] == "zip"
    assert commands(trail("/b/o", place=replace(place, member="p/b"), cause="timezone", **given))[0] == "zip"


def test_a_script_that_prints_in_another_form_what_its_commands_tell_is_named():
    make, script = program("make"), program("sh", "build/mdate-sh", "a.texi", parent=0)
    listing, other = program("ls", "-l", "a.texi", parent=1), program("ls", parent=0)
    given = {
        "programs": (make, listing, other, script),
        "read": ((script, PIPE), (make, "pipe:[8]")),
        "written": ((script, "/b/out"), (listing, PIPE), (other, "pipe:[8]")),
        "values": (),
        "cause": "source_mtime",
    }
    programs = (make, script, listing, other)
    assert commands(trail("/b/out", **{**given, "programs": programs}))[0] == "sh"
    alone = (make, script, program("ls", "-l", "a.texi", parent=0), other)
    moved = {
        key: tuple((alone[2] if one[0] is listing else one[0], *one[1:]) for one in given[key])
        for key in ("read", "written")
    }
    assert commands(trail("/b/out", **{**given, **moved, "programs": alone}))[0] is None


SORTED = {
    "programs": (PICK := program("sed"), SORT := program("sort", "names"), NUMBER := program("awk"), SHELL),
    "read": ((SORT, "/b/names"), (NUMBER, PIPE)),
    "written": ((PICK, "/b/names"), (NUMBER, "/b/a.h"), (SHELL, "/b/a.h")),
    "contents": ((PICK, "/b/names", "B\na\nC\n"), (SORT, PIPE, "B\nC\na\n"), (NUMBER, "/b/a.h", "0 B\n1 C\n2 a\n")),
    "cause": "locales",
}


@pytest.mark.parametrize(
    ("control", "experiment", "first"),
    [
        (b"0 B", b"0 a", "sort"),
        (b"B 0", b"B 1", "sort"),  # a number of the line
        (b"0 B C", b"0 C B", "sort"),
        (b"0 B", b"0 b", "awk"),  # a word that stands in no other line
        (b"0.5", b"0,5", "awk"),
        (b'0 "B"', b"0 'B'", "awk"),
    ],
)
def test_who_ordered_is_named_for_words_that_moved_and_not_who_passed_lines_on(control, experiment, first):
    place = Place(field=Field.CONTENT, location="line 1", control=control, experiment=experiment)
    found = trail("/b/a.h", place=place, values=("absent",), **SORTED)
    assert commands(found)[0] in ((first,) if first == "sort" else (None, "sed", "awk"))
    assert first != "sort" or commands(found)[1] == ["sort", "awk"]
    assert commands(trail("/b/a.h", place=place, values=("absent",), **{**SORTED, "cause": "time"}))[0] != "sort"


def test_a_program_that_orders_but_did_not_pass_the_words_on_is_not_named():
    place = Place(field=Field.CONTENT, location="line 1", control=b"0 B", experiment=b"0 a")
    other = tuple((one, path, "x\ny\n" if one is SORT else text) for one, path, text in SORTED["contents"])
    assert commands(trail("/b/a.h", place=place, values=("a",), **{**SORTED, "contents": other}))[0] != "sort"


def test_lines_in_another_order_are_of_who_ordered_them_last():
    place = Place(field=Field.ORDER, location="line order", control=b"B\na\n", experiment=b"a\nB\n")
    assert commands(trail("/b/a.h", place=place, values=(), **SORTED)) == ("sort", ["sort", "awk"])


NAMED = (
    program("report", "in"),
    program("/bin/sh", "-c", "paint | convert > out-77.png", parent=0),
    program("convert", parent=1),
)


@pytest.mark.parametrize(("starter", "first"), [("report", "report"), ("make", "convert")])
def test_who_had_a_shell_write_to_a_name_made_it_and_not_who_wrote_there(starter, first):
    """A shell or make has it from its own text, and the command is the place of that."""
    programs = (program(starter, "in"), *NAMED[1:])
    place = Place(field=Field.NAME, location="the output's name", control=b"", experiment=b"")
    given = {"programs": programs, "written": ((programs[1], "/b/out-77.png"), (programs[2], "/b/out-77.png"))}
    found = trail("/b/out-77.png", place=place, values=("out-77.png",), cause="pid", **given)
    assert commands(found) == (first, list(dict.fromkeys([first, "convert"])))


def test_a_name_that_a_shell_was_told_is_of_who_told_it():
    shell, convert, date = program("sh", "build.sh"), program("convert", parent=0, began=5), program("date", parent=0)
    place = Place(field=Field.NAME, location="the output's name", control=b"", experiment=b"")
    found = trail(
        "/b/out-1764",
        place=place,
        values=("1764",),
        programs=(shell, convert, date),
        read=((shell, PIPE),),
        written=((shell, "/b/out-1764"), (convert, "/b/out-1764")),
        contents=((date, PIPE, "1764\n"),),
    )
    assert commands(found) == ("date", ["date", "convert"])


@pytest.mark.parametrize(
    ("location", "member", "tool", "first"),
    [
        ("FAT boot sector volume ID", "", "mcopy", "mkfs.vfat"),
        ("FAT entry mtime", "cidata (label)", "mcopy", "mkfs.vfat"),
        ("FAT entry mtime", "a", "mcopy", "mcopy"),
        ("byte 0x10", "", "mcopy", None),
        ("FAT boot sector volume ID", "", "mlabel", None),  # depends on its options
    ],
)
def test_what_is_set_when_a_file_system_is_made_is_of_who_made_it(location, member, tool, first):
    make, cut, change, copy = program("mkfs.vfat", "img"), program("truncate"), program(tool), program("cp")
    place = Place(field=Field.MTIME if member else Field.HEADER, location=location, control=b"", experiment=b"")
    writers = (cut, make, change)
    found = trail(
        "/b/out",
        place=replace(place, member=member, format=FileFormat.IMAGE),
        programs=(*writers, copy),
        read=((copy, "/b/img"),),
        written=(*((one, "/b/img") for one in writers), (copy, "/b/out")),
        taken=((make, "/b/img"), (change, "/b/img")),
        contents=tuple((one, "/b/img", one.argv[0]) for one in (make, change)),
    )
    assert commands(found)[0] == first
    assert first is None or commands(found)[1] == [first, "cp"]


@pytest.mark.parametrize(
    ("value", "first"), [("page-141", "report"), ("page-14", "report"), ("page-19", "troff"), ("page-7", "troff")]
)
def test_a_process_id_is_of_who_has_it(value, first):
    """It was handed to a program as a part of an argument, and a number put behind it."""
    make, report, troff = program("make"), program("report", parent=0), program("troff", "-dname=page-14", parent=1)
    programs = tuple(replace(one, pid=pid) for one, pid in ((make, 7), (report, 14), (troff, 19)))
    given = {"programs": programs, "written": ((programs[2], "/b/a"),), "contents": ((programs[2], "/b/a", value),)}
    assert commands(trail("/b/a", values=(value,), cause="pid", **given))[0] == first
    if value != "page-14":  # that is among the arguments
        assert commands(trail("/b/a", values=(value,), cause="random", **given))[0] == "troff"


@pytest.mark.parametrize("size", [4096, 512 << 10, 5000])
def test_of_a_file_whose_end_was_not_recorded_a_path_is_of_who_wrote_it(size):
    """What told the path to a program that packs that file is another way of the same path."""
    object_file = "\x7fELF" + "x" * (size - 4)
    place = Place(field=Field.CONTENT, location="line 1", control=b"", experiment=b"", member="pkg/a.so")
    found = trail(
        "/b/dist/a.whl",
        place=place,
        cause="build_path",
        read=((OTHER, "/tmp/input.json"), (LD, "/b/a.o"), (OTHER, "/b/lib/pkg/a.so")),
        written=((STAMP, "/tmp/input.json"), (AS, "/b/a.o"), (LD, "/b/lib/pkg/a.so"), (OTHER, "/b/dist/a.whl")),
        contents=(
            (STAMP, "/tmp/input.json", "/built"),
            (AS, "/b/a.o", object_file),
            (LD, "/b/lib/pkg/a.so", object_file),
            (OTHER, "/b/dist/a.whl", "PK"),
        ),
    )
    assert commands(found)[0] == ("stamp" if size == 5000 else "as")


@pytest.mark.parametrize(("location", "named"), [("ELF section .debug_str, string 2", "as"), ("line 1", "ld")])
def test_a_path_in_debug_information_is_of_the_compile_whatever_the_linker_was_told(location, named):
    linker = program("ld", "-o", "/tmp/a.so", "/tmp/a.o")
    place = Place(field=Field.CONTENT, location=location, control=b"", experiment=b"")
    found = trail(
        "/tmp/a.so",
        values=("/tmp",),
        place=place,
        cause="temp_dir",
        programs=(linker, AS),
        read=((linker, "/tmp/a.o"),),
        written=((AS, "/tmp/a.o"), (linker, "/tmp/a.so")),
        contents=((AS, "/tmp/a.o", "\x7fELF /tmp"), (linker, "/tmp/a.so", "\x7fELF. /tmp")),
    )
    assert commands(found)[0] == named


@pytest.mark.parametrize(("field", "first"), [(Field.MODE, "sort"), (Field.CONTENT, "python3")])
def test_a_filter_makes_the_file_whose_mode_differs(field, first):
    sort = program("sort", "names", "-o", "out")
    given = {"read": ((sort, "/b/names"),), "written": ((sort, "/b/out"), (OTHER, "/b/names"))}
    place = Place(field=field, location="mode", control=b"", experiment=b"")
    found = trail("/b/out", place=place, values=(), cause="umask", programs=(OTHER, sort), **given)
    assert commands(found)[0] == first


@pytest.mark.parametrize(("cause", "first"), [("build_path", "pwd"), ("user_group", "id")])
def test_of_what_several_wrote_for_a_digest_the_one_is_named_who_can_tell_the_cause(cause, first):
    folder, user = program("pwd"), program("id", "-un")
    given = {"read": ((MD5, PIPE),), "written": ((folder, PIPE), (user, PIPE), (MD5, "/b/out"))}
    contents = ((folder, PIPE, "/b\n"), (user, PIPE, "me\n"), (MD5, "/b/out", "5d41402a  -\n"))
    found = trail("/b/out", cause=cause, programs=(folder, user, MD5), values=(), contents=contents, **given)
    assert commands(found)[0] == first


@pytest.mark.parametrize("first", ["", "/\n"])
def test_who_listed_the_members_of_an_archive_made_their_order(first):
    """The symbol table that ar puts before them is in no list."""
    find, ar = program("find", "."), program("ar", "rcs", "lib.a", "@list")
    place = Place(
        field=Field.ORDER,
        location="ar member order",
        control=f"{first}b.o\na.o".encode(),
        experiment=f"{first}a.o\nb.o".encode(),
    )
    given = {"read": ((ar, "/b/list"),), "written": ((find, "/b/list"), (ar, "/b/lib.a"))}
    contents = ((find, "/b/list", "./b.o\n./a.o\n"), (ar, "/b/lib.a", "!<arch>"))
    found = trail(
        "/b/lib.a", place=place, values=(), cause="fileordering", programs=(find, ar), contents=contents, **given
    )
    assert commands(found) == ("find", ["find", "ar"])


def test_a_path_that_is_not_among_what_was_recorded_of_a_library_is_of_its_objects():
    """The folder alone is in the object beside it too."""
    tidy, config = (program("cc", "-c", f"{name}.c") for name in ("tidy", "config"))
    ar = program("ar", "rcs", "lib.a")
    given = {
        "read": ((LD, "/b/tidy.o"), (LD, "/b/lib.a"), (ar, "/b/config.o")),
        "written": ((tidy, "/b/tidy.o"), (config, "/b/config.o"), (ar, "/b/lib.a"), (LD, "/b/app")),
        "contents": (
            (tidy, "/b/tidy.o", "\x7fELF /built/tidy.c"),
            (config, "/b/config.o", "\x7fELF /built/config.c"),
            (ar, "/b/lib.a", "x" * (512 << 10)),
        ),
    }
    for name, made in (("tidy", tidy), ("config", config)):
        values = (f"/built/{name}.c", "/built")
        found = trail("/b/app", values=values, cause="build_path", programs=(tidy, config, ar, LD), **given)
        assert found.program == made


def test_a_compile_that_reads_the_package_of_another_is_named_for_its_own_file():
    one, two = (program("compile", "-o", f"{name}.a") for name in ("one", "two"))
    given = {
        "read": ((two, "/b/one.a"), (LD, "/b/one.a"), (LD, "/b/two.a")),
        "written": ((one, "/b/one.a"), (two, "/b/two.a"), (LD, "/b/app")),
        "contents": ((one, "/b/one.a", "/built/one.go"), (two, "/b/two.a", "/built/two.go /built/one.go")),
    }
    for name, made in (("one", one), ("two", two)):
        values = (f"/built/{name}.go", "/built")
        found = trail("/b/app", values=values, cause="build_path", programs=(one, two, LD), **given)
        assert found.program == made


@pytest.mark.parametrize(("cause", "first"), [("random", "python3"), ("user_group", None)])
def test_only_a_random_name_is_of_who_made_a_folder_with_it(cause, first):
    """The name of a user is in folders that have nothing to do with a value."""
    known, wrote = program("known"), program("/bin/sh", "-c", "...")
    programs = (OTHER, known, wrote, cc := program("cc1"), STAMP)
    given = {
        "read": ((cc, "/b/a"), (cc, "/b/c")),
        "written": ((OTHER, "/home/somebody/x"), (known, "/b/a"), (STAMP, "/b/c"), (cc, "/b/out")),
    }
    found = trail("/b/out", values=("somebody",), cause=cause, programs=programs, **given)
    assert commands(found)[0] == first


@pytest.mark.parametrize(("values", "first"), [(("x/ftc/b86", "/ftc/b"), "stamp"), (("/ftc/b/a.c", "/ftc/b"), "cc1")])
def test_a_path_in_a_header_that_was_made_is_of_who_made_it_but_the_name_of_a_source_of_the_compile(values, first):
    compiler, assembler = program("cc1", "a.c", "-o", "a.s"), program("as", "-o", "a.o", "a.s")
    place = Place(field=Field.CONTENT, location="ELF section .rodata, string 1", control=b"", experiment=b"")
    found = trail(
        "/b/a.o",
        programs=(*PROGRAMS, compiler, assembler),
        place=place,
        cause="build_path",
        values=values,
        read=((compiler, "/b/config.h"), (assembler, "/b/a.s")),
        written=((STAMP, "/b/config.h"), (compiler, "/b/a.s"), (assembler, "/b/a.o")),
        contents=(
            (STAMP, "/b/config.h", '#define DIR "/ftc/b"\n'),
            (compiler, "/b/a.s", values[0]),
            (assembler, "/b/a.o", values[0]),
        ),
    )
    assert commands(found)[0] == first


@pytest.mark.parametrize("last", [AS, LD])
def test_of_files_that_replaced_each_other_the_last_one_is_followed(last):
    first = LD if last is AS else AS
    found = trail(
        "/b/x.cmt",
        contents=((first, "/b/x1.tmp", "see /built"), (last, "/b/x2.tmp", "see /built")),
        moved=((first, "/b/x1.tmp", "/b/x.cmt"), (last, "/b/x2.tmp", "/b/x.cmt")),
    )
    assert found.program is last
