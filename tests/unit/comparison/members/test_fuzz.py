"""Whatever the bytes are: no exception, an end, no leaf for equal files, at least one for others."""

import bz2
import datetime
import gzip
import io
import json
import lzma
import pickle
import py_compile
import sqlite3
import struct
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lzip_files import lzip

from pytest_ftc.comparison.members.formats.table import FORMATS, find_format
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.span import span_of
from pytest_ftc.comparison.members.walk import walk
from pytest_ftc.model import Place

NAMES = ["x", "x.zip", "x.tar", "x.pyc", "x.json", "x.tgz"]
FAST = Limits(seconds=20, decompressed=8 << 20, members=200)

TABLES = Path(__file__).parent / "tables"


def make_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.comment = b"comment"
        made.writestr("a/b.txt", "text\n" * 50)
        made.writestr("c.json", '{"a": [1, 2, {"b": null}]}')
        made.writestr("inner.gz", gzip.compress(b"inner\n" * 20))
    return file.getvalue()


def make_tar(kind):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as made:
        for name in ("a", "d/" * 80 + "long", "ü"):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = 600, 1.5
            made.addfile(info, io.BytesIO(b"t" * 600))
    return file.getvalue()


def make_cpio():
    out = b""
    for number, (name, data) in enumerate([(b"a", b"text\n"), (b"TRAILER!!!", b"")]):
        fields = (number, 0o100644, 0, 0, 1, 1_600_000_000, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % value for value in fields) + name + b"\0"
        out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return out


def make_odc():
    out = b""
    for number, (name, data) in enumerate([(b"a", b"text\n"), (b"TRAILER!!!", b"")]):
        fields = (1, number, 0o100644, 0, 0, 1, 0, 1_600_000_000, len(name) + 1, len(data))
        widths = (6, 6, 6, 6, 6, 6, 6, 11, 6, 11)
        out += b"070707" + b"".join(b"%0*o" % pair for pair in zip(widths, fields, strict=True)) + name + b"\0" + data
    return out


def make_binary_cpio():
    out = b""
    for name, data in ((b"a", b"text\n"), (b"TRAILER!!!", b"")):
        out += struct.pack("<13H", 0o070707, 1, 2, 0o100644, 0, 0, 1, 0, 1, 2, len(name) + 1, 0, len(data))
        out += name + bytes(2 - len(name) % 2) + data + bytes(len(data) % 2)
    return out


def make_ar():
    one = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"a.o/", 1_600_000_000, 0, 0, 0o644, 5)
    symbols = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"/", 0, 0, 0, 0, 10)
    return b"!<arch>\n" + symbols + struct.pack(">II", 1, 78) + b"f\0" + one + b"text\n\n"


def make_png(interlaced):
    # Seven by four pixels of four bits: 20 bytes in lines, or 25 in passes.
    pixels = zlib.compress((b"\4\1\2\3\4" + b"\1\2\3\4\5") * 2 if not interlaced else bytes(25))
    chunks = [
        (b"IHDR", b"\0\0\0\7\0\0\0\4" + bytes([4, 0, 0, 0, interlaced])),
        (b"tEXt", b"Date\0Monday"),
        (b"tIME", bytes(7)),
        (b"IDAT", pixels),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + b"crc!" for kind, data in chunks
    )


def make_pdf():
    stream = zlib.compress(b"text " * 30)
    return b"%%PDF-1.4\n1 0 obj\n<< /Filter /FlateDecode /CreationDate (D:20200101) >>\nstream\n%s\nendstream\nendobj\n%%%%EOF" % stream  # fmt: skip


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """One valid file of each format."""
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "m.py").write_text("def f(x):\n    return x in {'a', 'b'}, 1.5, 2 ** 100, b'x'\n")
    py_compile.compile(str(folder / "m.py"), str(folder / "m.pyc"), doraise=True)
    (folder / "x.c").write_text('const char *f(void) { return "text"; }\n')
    subprocess.run(["gcc", "-g", "-c", "-o", "x.o", "x.c"], cwd=folder, check=True)
    (folder / "X.java").write_text('class X { String f() { return "text"; } }\n')
    subprocess.run(["javac", "X.java"], cwd=folder, check=True)
    with sqlite3.connect(folder / "x.db") as database:
        database.execute("create table t(a, b)")
        database.executemany("insert into t values (?, ?)", [(1, "x" * 50)] * 20)
    database.close()
    read = [(folder / name).read_bytes() for name in ("m.pyc", "x.o", "X.class", "x.db")]
    tars = [make_tar(kind) for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
    text = json.dumps({"a": [1, {"b": "c"}], "d": 1.5}, indent=1).encode()
    packed = [packer(text) for packer in (gzip.compress, bz2.compress, lzma.compress, lzip)]
    inventory = b"# Inventory version 2\n" + zlib.compress(text)
    values = {"a": {"b", "c"}, "d": [1.5, None, (b"x",)], "e": datetime.datetime(2020, 1, 1)}
    pickles = [pickle.dumps(values, protocol) for protocol in (2, 4)]
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}\n"
    array = b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(range(16))
    made = [
        *pickles,
        array,
        inventory,
        make_zip(),
        make_cpio(),
        make_odc(),
        make_binary_cpio(),
        make_ar(),
        make_png(0),
        make_png(1),
        *(gzip.decompress((TABLES / f"pyarrow-{name}-1.gz").read_bytes()) for name in ("v1", "v2")),
        make_pdf(),
        text,
        b"line\n" * 100,
    ]
    return [*made, *packed, *tars, gzip.compress(tars[0]), *read]


def check(folder, one, other, name):
    (folder / "one").write_bytes(one)
    (folder / "other").write_bytes(other)
    found = walk(folder / "one", folder / "other", name, FAST)
    assert bool(found.leaves) == (one != other)
    assert all(isinstance(leaf, Place) and leaf.location and leaf.location.isprintable() for leaf in found.leaves)
    assert all(leaf.member.isprintable() for leaf in found.leaves)
    return found


def test_each_whole_file_is_read_as_what_it_is(seeds):
    """Or the tests here would test nothing."""
    read = []
    for data in seeds:
        format_ = find_format(span_of(data), "x.pyc" if data[2:4] == b"\r\n" else "x")
        if format_:
            read.append(format_.name)
            assert format_.read(span_of(data), Budget(FAST)).format == format_.name
    assert len(read) == len(seeds) - 2
    # Those that are read as binary files and images have their own tests.
    assert {format_.name for format_ in FORMATS} - set(read) == {"zstd", "binary", "image"}


def mutate(data, edits):
    data = bytearray(data)
    for kind, where, value in edits:
        at = where % (len(data) + 1)
        if kind == "set":
            data[at : at + len(value)] = value
        elif kind == "insert":
            data[at:at] = value
        elif kind == "delete":
            del data[at : at + len(value)]
        else:
            del data[at:]
    return bytes(data)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "set", "insert", "delete", "truncate"]),
        st.integers(0, 1 << 16),
        st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\xff" * 8]),
    ),
    min_size=1,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=600)
@given(st.integers(0, 63), EDITS, st.sampled_from(NAMES))
def test_a_damaged_file_is_compared_with_the_whole_one(seeds, tmp_path, index, edits, name):
    data = seeds[index % len(seeds)]
    check(tmp_path, data, mutate(data, edits), "x.pyc" if data[2:4] == b"\r\n" else name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.integers(0, 63), EDITS, EDITS)
def test_two_damaged_files_are_compared(seeds, tmp_path, index, edits, others):
    data = seeds[index % len(seeds)]
    check(tmp_path, mutate(data, edits), mutate(data, others), "x.pyc" if data[2:4] == b"\r\n" else "x")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(NAMES))
@example(b"[NaN]", b"[NaN ]", "x.json")
@example(b'{"a": 1, "a": 2}', b'{"a": 3, "a": 2}', "x.json")
@example(b"a\nb\n", b"b\na", "x")
@example(b"", b"\n", "x")
def test_any_two_files_are_compared(tmp_path, one, other, name):
    check(tmp_path, one, other, name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["a\n", "b\n", "\n", "c"]), max_size=30), st.lists(st.sampled_from(["a\n", "b\n", "\n", "c"]), max_size=30))  # fmt: skip
def test_the_lines_that_differ_are_those_that_are_told(tmp_path, one, other):
    """Replacing what is told of the one by what is told of the other, at the lines named, makes the other."""
    control, experiment = "".join(one).encode(), "".join(other).encode()
    found = check(tmp_path, control, experiment, "x.txt")
    if any(leaf.field.value == "order" or leaf.format != "text" for leaf in found.leaves) or found.cut:
        return
    lines = control.splitlines(keepends=True)
    for leaf in reversed(found.leaves):
        first = int(leaf.location.removeprefix("line ")) - 1
        count = len(leaf.control.splitlines())
        assert b"".join(lines[first : first + count]) == leaf.control
        lines[first : first + count] = [leaf.experiment]
    assert b"".join(lines) == experiment
