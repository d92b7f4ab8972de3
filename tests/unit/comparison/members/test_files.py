"""Single files that have an inside, made by the tools that builds use."""

import base64
import os
import py_compile
import random
import sqlite3
import struct
import subprocess
import sys
import zlib

import pytest

FOLLOWS = "follows from another difference"


@pytest.fixture
def linked(folders, run):
    """The same library built in two folders, with its folder in `__FILE__` and in the debugging data."""
    for folder in folders:
        (folder / "x.c").write_text("const char *where(void) { return __FILE__; }\n")
        source = str(folder / "x.c")
        run("gcc", "-g", "-shared", "-fPIC", "-Wl,--build-id", "-o", "x.so", source, cwd=folder)
    return folders


def test_elf_files_are_told_by_section_and_the_build_id_last(linked, compare):
    leaves = compare(linked[0] / "x.so", linked[1] / "x.so", "x.so").leaves
    (text,) = (leaf for leaf in leaves if leaf.location.startswith("ELF section .rodata"))
    assert b"/one/x.c" in text.control and b"/other/x.c" in text.experiment
    debug, *_ = (leaf for leaf in leaves if leaf.location.startswith("ELF section .debug_line_str, string"))
    assert debug.note == "" and str(linked[0]).encode() in debug.control
    info = [leaf for leaf in leaves if leaf.location.startswith("ELF section .debug_info, byte")]
    assert info and all(leaf.note == FOLLOWS for leaf in info)
    assert (leaves[-1].location, leaves[-1].field.value, leaves[-1].note) == ("ELF build id", "header", FOLLOWS)
    assert len(bytes.fromhex(leaves[-1].control.decode())) == 20


@pytest.mark.parametrize("flags", [("-g",), ("-g", "-Wl,--build-id=md5"), ("-O2", "-s"), ("-g", "-gz")])
def test_the_build_id_is_computed_anew_as_gnu_ld_does(folders, run, compare, flags):
    for folder in folders:
        (folder / "x.c").write_text(f'#include <stdio.h>\nint main(void) {{ return puts("{folder.name}"); }}\n')
        run("gcc", "-Wl,--build-id", *flags, "-o", "x", "x.c", cwd=folder)
    leaves = compare(folders[0] / "x", folders[1] / "x", "x").leaves
    assert [leaf.location for leaf in leaves if leaf.is_recomputed] == ["ELF build id"]
    for folder in folders:
        run("objcopy", "--remove-section=.comment", "x", cwd=folder)
    changed = compare(folders[0] / "x", folders[1] / "x", "x").leaves
    assert changed[-1].location == "ELF build id" and not changed[-1].is_recomputed


def test_a_build_id_of_a_file_whose_headers_lie_is_not_computed(folders, run, compare):
    for folder in folders:
        (folder / "x.c").write_text(f'#include <stdio.h>\nint main(void) {{ return puts("{folder.name}"); }}\n')
        run("gcc", "-Wl,--build-id", "-o", "x", "x.c", cwd=folder)
        data = bytearray((folder / "x").read_bytes())
        # e_phnum and e_phentsize, of gigabytes of program headers.
        data[54:58] = b"\xff\xff\xff\xff"
        (folder / "x").write_bytes(data)
    leaves = compare(folders[0] / "x", folders[1] / "x", "x").leaves
    assert leaves and not any(leaf.is_recomputed for leaf in leaves)


def test_what_is_behind_an_elf_file_is_told_as_what_it_is(linked, compare):
    for folder, day in zip(linked, ("Monday", "Friday"), strict=True):
        (folder / "all.run").write_bytes((folder / "x.so").read_bytes() + f"#!/bin/sh\necho on {day}\n".encode())
    leaves = compare(linked[0] / "all.run", linked[1] / "all.run", "all.run").leaves
    behind = [(leaf.location, leaf.control) for leaf in leaves if leaf.location.startswith("appended data")]
    assert behind == [("appended data, line 2", b"echo on Monday\n")]
    assert any(leaf.location.startswith("ELF section .rodata") for leaf in leaves)


def test_a_build_id_alone_does_not_follow_from_anything(folders, run, compare, table):
    for folder, digit in zip(folders, "ab", strict=True):
        (folder / "x.c").write_text("int x(void) { return 1; }\n")
        run("gcc", "-shared", "-fPIC", f"-Wl,--build-id=0x{digit * 40}", "-o", "x.so", "x.c", cwd=folder)
    found = compare(folders[0] / "x.so", folders[1] / "x.so", "x.so")
    assert table(found) == [("header", "", "ELF build id", b"a" * 40, b"b" * 40)]
    assert found.leaves[0].note == ""


def test_the_compilers_name_in_an_elf_file(folders, run, compare, table):
    for folder, name in zip(folders, ("compiler 1", "compiler 2"), strict=True):
        (folder / "x.c").write_text(f'int x; __asm__(".ident \\"{name}\\"");\n')
        run("gcc", "-c", "-fno-ident", "-o", "x.o", "x.c", cwd=folder)
    rows = table(compare(folders[0] / "x.o", folders[1] / "x.o", "x.o"))
    assert rows == [("content", "", "ELF section .comment, string 2", b"compiler 1\0", b"compiler 2\0")]


def test_compressed_debugging_sections_are_read_through(linked, run, compare):
    for folder in linked:
        run("objcopy", "--compress-debug-sections=zlib", "x.so", cwd=folder)
    leaves = compare(linked[0] / "x.so", linked[1] / "x.so", "x.so").leaves
    debug, *_ = (leaf for leaf in leaves if leaf.location.startswith("ELF section .debug_line_str, "))
    assert str(linked[0]).encode() in debug.control


def compile_module(folder, text, path, mode="TIMESTAMP", **variables):
    (folder / "m.py").write_text(text)
    os.utime(folder / "m.py", (0, 1_600_000_000))
    code = f"import py_compile; py_compile.compile('m.py', 'm.pyc', {path!r}, True, invalidation_mode=py_compile.PycInvalidationMode.{mode})"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, env={**os.environ, **variables})
    return folder / "m.pyc"


def test_the_source_path_and_time_in_a_pyc_file(folders, compare, table):
    text = "def f(x):\n    return lambda: x\n"
    one = compile_module(folders[0], text, "/one/m.py")
    other = compile_module(folders[1], text, "/other/m.py")
    assert table(compare(one, other, "m.pyc")) == [("content", "", "co_filename", b"/one/m.py", b"/other/m.py")]
    os.utime(folders[1] / "m.py", (0, 1_600_000_001))
    py_compile.compile(str(folders[1] / "m.py"), str(other), "/one/m.py", True)
    expected = [("mtime", "", "pyc header source mtime", b"1600000000", b"1600000001")]
    assert table(compare(one, other, "m.pyc")) == expected


def test_the_order_of_a_set_and_a_constant_in_a_pyc_file(folders, compare, table):
    data = compile_module(folders[0], "def f(x):\n    return x in {'alpha', 'gamma', 'theta'}\n", "m.py").read_bytes()
    # Python 3.11 and later write sets sorted, earlier ones in the order of their hashes.
    swapped = data.replace(b"alpha", b"-----").replace(b"gamma", b"alpha").replace(b"-----", b"gamma")
    (row,) = table(compare(data, swapped, "m.pyc"))
    assert (row[0], row[2]) == ("order", "co_consts[1] of f, item order")
    assert row[3] != row[4] and {b"'alpha'", b"'gamma'"} <= set(row[3].splitlines()) == set(row[4].splitlines())
    one = compile_module(folders[0], "class C:\n    def f(self):\n        return 'on Monday'\n", "m.py", "CHECKED_HASH")
    other = compile_module(
        folders[1], "class C:\n    def f(self):\n        return 'on Friday'\n", "m.py", "CHECKED_HASH"
    )
    rows = table(compare(one, other, "m.pyc"))
    assert rows[0][2] == "pyc header source hash"
    assert [row[2:] for row in rows[1:] if b"Monday" in row[3]] == [
        ("co_consts[1] of C.f", b"'on Monday'", b"'on Friday'")
    ]


def test_every_compiled_module_of_the_standard_library_is_read(folders, compare):
    """By changing one byte of a name in the last constant string, which must be told as that."""
    import json.decoder
    import typing

    for module in (json.decoder, typing, random, subprocess):
        target = folders[0] / "m.pyc"
        py_compile.compile(module.__file__, str(target), "/marker/one.py", True)
        data = target.read_bytes()
        assert b"/marker/one.py" in data
        found = compare(data, data.replace(b"/marker/one.py", b"/marker/two.py"), "m.pyc")
        assert [(leaf.location, leaf.note) for leaf in found.leaves] == [("co_filename", "")]


def test_java_classes_by_their_constant_strings(folders, run, compare, table):
    for folder, text in zip(folders, ("on Monday", "on Friday"), strict=True):
        (folder / "X.java").write_text(f'class X {{ String when() {{ return "{text}"; }} long n = 5L; }}\n')
        run("javac", "X.java", cwd=folder)
        os.utime(folder / "X.class", (1_600_000_000, 1_600_000_000))
        run("jar", "-c", "-f", "x.jar", "-M", "X.class", cwd=folder)
    ((field, member, location, control, experiment),) = table(
        compare(folders[0] / "x.jar", folders[1] / "x.jar", "x.jar")
    )
    assert (field, member) == ("content", "X.class")
    assert location.startswith("class constant pool, string ")
    assert (control, experiment) == (b"on Monday\0", b"on Friday\0")


def test_sqlite_databases_by_row(folders, run, compare, table):
    for folder, day in zip(folders, ("Monday", "Friday"), strict=True):
        script = f"create table t(n integer primary key, day text, b blob); insert into t values (1, 'x', x'00ff'), (2, '{day}', null);"
        run("sqlite3", "x.db", script, cwd=folder)
    assert table(compare(folders[0] / "x.db", folders[1] / "x.db", "x.db")) == [
        ("content", "", "sqlite table t, row 2, column day", b"Monday", b"Friday")
    ]
    run("sqlite3", "x.db", "update t set day = 'Friday' where n = 2;", cwd=folders[0])
    found = compare(folders[0] / "x.db", folders[1] / "x.db", "x.db")
    assert [leaf.location for leaf in found.leaves] == [
        "sqlite header file change counter",
        "sqlite header version-valid-for",
    ]
    assert found.leaves[1].note == FOLLOWS


def test_each_column_of_a_row_is_a_place(folders, compare, table):
    rows = (("x", 10.5, b"\0a", 1), ("y", 20.25, b"\0b", 1)), (("it's", None, b"\xff", 1), ('"two"\n', 7, b"\xff", 1))
    for folder, values in zip(folders, zip(*rows, strict=True), strict=True):
        with sqlite3.connect(folder / "x.db") as database:
            database.execute('create table t(name, stored real, "raw, data" blob, same)')
            database.executemany("insert into t values (?, ?, ?, ?)", values)
    assert table(compare(folders[0] / "x.db", folders[1] / "x.db", "x.db")) == [
        ("content", "", "sqlite table t, row 1, column name", b"x", b"y"),
        ("content", "", "sqlite table t, row 1, column stored", b"10.5", b"20.25"),
        ("content", "", "sqlite table t, row 1, column raw, data", b"\0a", b"\0b"),
        ("content", "", "sqlite table t, row 2, column name", b"it's", b'"two"\n'),
        ("content", "", "sqlite table t, row 2, column stored", b"None", b"7.0"),
    ]


def test_a_row_whose_values_cannot_be_told_apart_is_one_place(folders, compare, table):
    for folder, word in zip(folders, ("one", "two"), strict=True):
        with sqlite3.connect(folder / "x.db") as database:
            database.execute("create table t(a, b)")
            database.execute("insert into t values (?, ?)", (float("inf"), word))
    assert table(compare(folders[0] / "x.db", folders[1] / "x.db", "x.db")) == [
        ("content", "", "sqlite table t, row 1", b"(inf, 'one')\n", b"(inf, 'two')\n")
    ]


def test_rows_that_have_moved_are_compared_with_themselves(folders, compare, table):
    for folder, names, root in zip(folders, (("ant", "bee", "cow"), ("cow", "ant", "bee")), "xy", strict=True):
        with sqlite3.connect(folder / "x.db") as database:
            database.execute("create table t(n integer primary key, name, path)")
            rows = [(name, f"/{root}/{name}" if name != "bee" else "") for name in names]
            database.executemany("insert into t(name, path) values (?, ?)", rows)
    assert table(compare(folders[0] / "x.db", folders[1] / "x.db", "x.db")) == [
        ("order", "", "sqlite table t, row order", b"ant\nbee\ncow\n", b"cow\nant\nbee\n"),
        ("content", "", "sqlite table t, row 1, column path", b"/x/ant", b"/y/ant"),
        ("content", "", "sqlite table t, row 3, column path", b"/x/cow", b"/y/cow"),
    ]


def test_of_many_rows_each_column_is_listed(folders, compare):
    for folder, step in zip(folders, (1, 2), strict=True):
        with sqlite3.connect(folder / "x.db") as database:
            database.execute("create table t(a, b, c)")
            rows = [(f"{number}, {step * 7}", step, "c" * step if number == 39 else "") for number in range(40)]
            database.executemany("insert into t values (?, ?, ?)", rows)
    found = compare(folders[0] / "x.db", folders[1] / "x.db", "x.db")
    assert {leaf.location.rpartition(" ")[2] for leaf in found.leaves} == set("abc")
    assert len(found.leaves) == 16
    assert found.cut


def test_the_schema_and_what_was_deleted_from_a_sqlite_database(folders, compare):
    for folder, extra in zip(folders, ("", "create index i on t(a)"), strict=True):
        with sqlite3.connect(folder / "x.db") as database:
            database.execute("create table t(a)")
            database.execute(extra)
        database.close()
    locations = [leaf.location for leaf in compare(folders[0] / "x.db", folders[1] / "x.db", "x.db").leaves]
    assert "sqlite schema, line 2" in locations
    assert not [name for folder in folders for name in os.listdir(folder) if name != "x.db"]


def png(*chunks, level=9):
    pixels = zlib.compress(b"\0\1\2\3" * 200, level)
    listed = [(b"IHDR", struct.pack(">IIBBBBB", 1, 200, 8, 2, 0, 0, 0)), *chunks, (b"IDAT", pixels[:30]), (b"IDAT", pixels[30:]), (b"IEND", b"")]  # fmt: skip
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in listed
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_png_chunks(compare, table):
    one = png((b"tIME", struct.pack(">H5B", 2020, 9, 13, 12, 26, 40)), (b"tEXt", b"Creation Time\0Monday"))
    other = png((b"tIME", struct.pack(">H5B", 2020, 9, 13, 12, 26, 41)), (b"tEXt", b"Creation Time\0Friday"))
    assert table(compare(one, other, "x.png")) == [
        ("mtime", "", "PNG tIME", b"1600000000", b"1600000001"),
        ("content", "", "PNG tEXt Creation Time, line 1", b"Monday", b"Friday"),
    ]
    (row,) = table(compare(png(level=1), png(level=9), "x.png"))
    assert row[:3] == ("header", "", "PNG IDAT stream (compression level, filters or tool)")


def pdf(date, identifier, text):
    stream = zlib.compress(text)
    body = b"%PDF-1.4\n1 0 obj\n<< /Length " + str(len(stream)).encode() + b" /Filter /FlateDecode >>\nstream\n"
    body += stream + b"\nendstream\nendobj\n2 0 obj\n<< /Producer (x) /CreationDate (" + date + b") >>\nendobj\n"
    return body + b"trailer\n<< /ID [<" + identifier + b"> <" + identifier + b">] >>\nstartxref\n9\n%%EOF\n"


def packed(text, filters, encode):
    data = encode(zlib.compress(text))
    return b"%%PDF-1.4\n4 0 obj\n<< /Filter %s /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
        filters,
        len(data),
        data,
    )


@pytest.mark.parametrize(
    ("filters", "encode"),
    [
        (b"/FlateDecode", bytes),
        (b"[ /ASCII85Decode /FlateDecode ]", lambda data: base64.a85encode(data, wrapcol=72) + b"~>"),
        (b"[/A85 /Fl]", lambda data: base64.a85encode(data) + b"~>"),
        (b"[/ASCIIHexDecode/FlateDecode]", lambda data: data.hex().encode() + b">"),
    ],
)
def test_streams_of_a_pdf_are_decoded_by_all_their_filters(compare, filters, encode):
    one, other = (packed(b"(Generated on %s)\n" % day * 9, filters, encode) for day in (b"Monday", b"Friday"))
    found = compare(one, other, "x.pdf")
    assert found.leaves[0].control == b"(Generated on Monday)\n" and not found.cut
    assert found.leaves[0].location == "PDF object 4 0, line 4"


def test_pdf_dates_identifiers_and_objects(compare, table):
    one = pdf(b"D:20200913122640Z", b"aa", b"first\nsecond\n")
    other = pdf(b"D:20200914022641+14'00", b"bb", b"first\nother\n")
    assert table(compare(one, other, "x.pdf")) == [
        ("mtime", "", "PDF /CreationDate", b"1600000000", b"1600000001"),
        ("header", "", "PDF /CreationDate time zone", b"Z", b"+14'00"),
        ("header", "", "PDF /ID", b"<aa> <aa>", b"<bb> <bb>"),
        ("content", "", "PDF object 1 0, line 5", b"second\n", b"other\n"),
    ]


def test_json_by_key_and_by_order(compare, table):
    one = b'{"a": {"b": [1, 2, {"c": "Monday"}]}, "list": ["x", "y"], "only": 1}\n'
    other = b'{"a": {"b": [1, 2, {"c": "Friday"}]}, "list": ["y", "x"]}\n'
    assert table(compare(one, other, "x.json")) == [
        ("content", "", "key a.b[2].c", b'"Monday"', b'"Friday"'),
        ("order", "", "order of list", b'"x"\n"y"', b'"y"\n"x"'),
        ("content", "", "key only", b"1", b""),
    ]
    (row,) = table(compare(b'{"a": 1, "b": 2}', b'{"b": 2, "a": 1}', "x.json"))
    assert row == ("order", "", "order of keys", b"a\nb\n", b"b\na\n")
    (row,) = table(compare(b'{"a": 1}\n', b'{"a":  1}\n', "x.json"))
    assert row == ("content", "", "line 1", b'{"a": 1}\n', b'{"a":  1}\n')


def test_text_by_line_one_leaf_a_place(compare, table):
    lines = [f"line {number}\n" for number in range(1, 101)]
    other = [*lines]
    other[9] = "changed\n"
    other[49:51] = []
    other.insert(80, "new\n")
    assert table(compare("".join(lines).encode(), "".join(other).encode(), "x.txt")) == [
        ("content", "", "line 10", b"line 10\n", b"changed\n"),
        ("content", "", "line 50", b"line 50\nline 51\n", b""),
        ("content", "", "line 83", b"", b"new\n"),
    ]


def test_the_same_lines_in_another_order_are_one_leaf(compare, table):
    lines = [f"{number}\n" for number in range(50)]
    shuffled = random.Random(1).sample(lines[10:20], 10)
    one, other = "".join(lines).encode(), "".join(lines[:10] + shuffled + lines[20:]).encode()
    ((field, _, location, control, experiment),) = table(compare(one, other, "x.txt"))
    assert (field, location) == ("order", "line order")
    assert control != experiment and sorted(control.split()) == sorted(experiment.split())


def test_binary_places_with_what_is_around_them(compare, table):
    one = bytearray(os.urandom(100_000).replace(b"\xaa", b"\xab"))
    other = bytearray(one)
    other[0x2C] ^= 0xFF
    other[50_000:50_003] = b"\xaa\xaa\xaa"
    rows = table(compare(bytes(one), bytes(other)))
    assert [row[2] for row in rows] == ["byte 0x2c", "byte 0xc350"]
    assert rows[0][3] == bytes(one[: 0x2C + 1 + 64])
    assert rows[1][3] == bytes(one[50_000 - 64 : 50_003 + 64])
    (row,) = table(compare(b"\0" * 500 + b"old" + b"\1" * 500, b"\0" * 500 + b"older" + b"\1" * 500))
    assert row[2] == "byte 0x1f7"
    assert (row[3], row[4]) == (b"\0" * 61 + b"old" + b"\1" * 64, b"\0" * 61 + b"older" + b"\1" * 64)


@pytest.mark.parametrize("header", [b"", b"STATE\0\1\2", b"# An inventory\n# Version: 2\n"])
def test_zlib_streams_behind_any_short_header(compare, table, header):
    one, other = (header + zlib.compress(b"saved at %d\n" % at * 40) + b"end" for at in (12, 34))
    assert table(compare(one, other, "x.dat"))[0][2] == "line 1"
    (row,) = table(compare(header + zlib.compress(b"x" * 4000, 1), header + zlib.compress(b"x" * 4000, 9), "x.dat"))
    assert row[2] == "zlib stream (compression level or tool)"


def test_zlib_streams_one_behind_the_other_are_told_by_their_number(compare):
    """As in the fonts of web pages, whose tables are each compressed (WOFF 1.0), and in indexes of search engines."""

    def font(*texts):
        return b"wOFF\0\1" + b"".join(zlib.compress(text) + bytes(len(text) % 4) for text in texts) + b"end"

    tables = [b"table %d, which is the same in both\n" % number * 9 for number in range(20)]
    other = [*tables[:14], b"saved at 1796000000\n" * 9, *tables[15:]]
    result = compare(font(*tables), font(*other), "x.woff")
    first = result.leaves[0]
    assert (first.location, first.experiment) == ("zlib stream 15, line 1", b"saved at 1796000000\n")
    assert not any("nested" in leaf.note for leaf in result.leaves)
    assert compare(font(*tables), font(*tables), "x.woff").leaves == ()


def test_what_only_begins_like_a_zlib_stream_is_compared_as_bytes(compare, table):
    (row,) = table(compare(b"\0x\x9cabcdefgh" + bytes(50), b"\0x\x9cabcdefgi" + bytes(50), "x.dat"))
    assert row[2] == "byte 0xa"


def test_equal_files_have_no_leaves(compare):
    assert compare(b"same", b"same").leaves == ()
    assert compare(b"", b"").leaves == ()


def test_files_of_two_formats_are_compared_as_bytes(compare, table):
    (row,) = table(compare(b"PK\3\4" + bytes(50), b"\x1f\x8b\x08" + bytes(50), "x"))
    assert row[2] == "byte 0x0"
    (leaf,) = compare(b"PK\3\4" + bytes(50), b"text\n", "x").leaves
    assert leaf.note == "not examined: the format is zip in the control build, unknown in the experiment"
