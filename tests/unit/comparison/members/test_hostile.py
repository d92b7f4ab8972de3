"""Files made to harm who looks into them: time and memory are measured, in a process with limits of its own."""

import bz2
import gzip
import io
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from importlib.util import MAGIC_NUMBER

import pytest
from parquet_tables import data_page, numbers_table, sized, varint

_WALK = """
import json, resource, sys, time
from pathlib import Path
from pytest_ftc.comparison.members.limits import Limits
from pytest_ftc.comparison.members.walk import walk

def peak():
    # In KiB; getrusage(2) also counts what the process had before exec(2).
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in status if line.startswith("VmHWM:")))

before = peak()
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
limits = Limits(**json.loads(sys.argv[4]))
begin = time.monotonic()
found = walk(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], limits)
seconds = time.monotonic() - begin
grown = (peak() - before) >> 10
leaves = [(leaf.field.value, leaf.member, leaf.location, leaf.note) for leaf in found.leaves]
most = max((max(len(leaf.control), len(leaf.experiment)) for leaf in found.leaves), default=0)
print(json.dumps({"seconds": seconds, "mebibytes": grown, "leaves": leaves, "cut": found.cut, "most": most}))
"""


@pytest.fixture
def measure(tmp_path):
    """Walk two contents in a process of its own, in which temporary files land in a folder that must end empty."""

    def measure(one, other, name="x", *, within=30, mebibytes=400, **limits):
        for side, content in (("one", one), ("other", other)):
            if content is not None:
                (tmp_path / side).write_bytes(content)
        temporary = tmp_path / "temporary"
        temporary.mkdir(exist_ok=True)
        command = [sys.executable, "-W", "error", "-c", _WALK, "one", "other", name, json.dumps(limits)]
        environ = {**os.environ, "TMPDIR": str(temporary)}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environ)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        result = json.loads(done.stdout)
        assert result["leaves"], result
        assert result["seconds"] < within, result
        assert result["mebibytes"] < mebibytes, result
        assert result["most"] <= 256 << 10
        assert sorted(os.listdir(tmp_path)) == ["one", "other", "temporary"]
        assert os.listdir(temporary) == []
        return result

    return measure


def zipped(*entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in entries:
            made.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


@pytest.mark.parametrize("packer", [gzip.compress, bz2.compress])
def test_a_bomb_of_tens_of_gigabytes_is_cut_off(measure, packer):
    stream = packer(bytes(50 << 20))
    bomb = stream * 1000
    result = measure(bomb + packer(b"a"), bomb + packer(b"b"), mebibytes=150)
    assert "more than 1073741824 decompressed bytes" in result["leaves"][0][3]
    assert result["cut"]


def test_bombs_in_a_zip_do_not_hide_the_member_beside_them(measure):
    bombs = [(f"{number}.bin", bytes(40 << 20)) for number in range(4)]
    one = zipped(("a.txt", "one\n"), *((name, data + b"a") for name, data in bombs), ("z.txt", "one\n"))
    other = zipped(("a.txt", "two\n"), *((name, data + b"b") for name, data in bombs), ("z.txt", "two\n"))
    result = measure(one, other, "x.zip", decompressed=100 << 20, mebibytes=150)
    assert ["content", "a.txt", "line 1", ""] in result["leaves"]
    assert any("more than 104857600 decompressed bytes" in note for _, _, _, note in result["leaves"])
    assert {member for _, member, _, _ in result["leaves"]} == {"a.txt", "z.txt", *(name for name, _ in bombs)}


def test_zips_within_zips_end_at_a_depth(measure):
    def nest(data):
        for _ in range(30):
            data = zipped(*((f"{number}.zip", data) for number in range(4)))
            if len(data) > 1 << 20:
                break
        for _ in range(20):
            data = zipped(("inner.zip", data))
        return data

    result = measure(nest(b"one"), nest(b"two"))
    assert "more than 12 containers deep" in result["leaves"][0][3]


def test_a_zip_whose_entries_all_share_one_kernel(measure):
    """As in "A better zip bomb" (Fifield, 2019), with entries on top of each other."""

    def overlap(letter):
        made = zipped(("k", bytes(20 << 20) + letter))
        start = made.index(b"PK\1\2")
        end = made.index(b"PK\5\6")
        directory = b"".join(made[start : start + 46] + b"k" for _ in range(20_000))
        tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 20_000, 20_000, len(directory), start, 0)
        assert len(made) - end == 22
        return made[:start] + directory + tail

    result = measure(overlap(b"a"), overlap(b"b"), "x.zip", within=70)
    assert any("decompressed" in sentence for sentence in result["cut"])


def test_a_directory_of_a_million_entries_is_not_read(measure):
    made = zipped(("k", b"x"))
    start = made.index(b"PK\1\2")
    directory = (made[start : start + 46] + b"k") * 1_000_000
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 65535, 65535, len(directory), start, 0)
    result = measure(
        made[:start] + directory + tail, made[:start] + directory + tail[:-2] + b"\1\0!", "x.zip", mebibytes=200
    )
    assert "its headers are too large" in result["leaves"][0][3]


@pytest.mark.parametrize("where", [0, 50_000, 99_999])
def test_a_tar_of_a_hundred_thousand_members(measure, where):
    def archive(text):
        file = io.BytesIO()
        info = tarfile.TarInfo()
        for number in range(100_000):
            info.name = f"{number:06}"
            info.mtime = text if number == where else 0
            file.write(info.tobuf(tarfile.USTAR_FORMAT))
        return file.getvalue() + bytes(1024)

    result = measure(archive(1), archive(2), "x.tar")
    field, member, location, _ = result["leaves"][0]
    if where == 0:
        assert (field, member, location) == ("mtime", "000000", "tar member mtime")
    else:
        assert location == f"byte {where * 512 + 146:#x}"
    assert result["cut"] == ["only the first 20000 members were examined"]


def test_a_member_inserted_before_a_hundred_thousand_is_no_flood_of_names(measure):
    info = tarfile.TarInfo()

    def archive(names):
        made = []
        for name in names:
            info.name = name
            made.append(info.tobuf(tarfile.USTAR_FORMAT))
        return b"".join(made) + bytes(1024)

    names = [f"{number:06}" for number in range(30_000)]
    result = measure(archive(names), archive(["first", *names]), "x.tar")
    assert len(result["leaves"]) == 1


def test_a_sparse_file_of_two_gigabytes(measure, tmp_path):
    for side, letter in (("one", b"a"), ("other", b"b")):
        with open(tmp_path / side, "wb") as file:
            file.seek((2 << 30) - 1)
            file.write(letter)
    result = measure(None, None, mebibytes=50)
    assert result["leaves"] == [["content", "", f"byte {(2 << 30) - 1:#x}", ""]]
    assert result["seconds"] < 2


def test_names_that_climb_and_links_that_lead_out_touch_nothing(measure, tmp_path):
    def archive(text):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as made:
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "outside")
            made.addfile(link)
            for name in ("../../../outside", "/etc/ftc-outside", "link/x", "red\x1b[31m\nnew\u202eline", "a/" * 2000):
                info = tarfile.TarInfo(name)
                info.size = len(text)
                made.addfile(info, io.BytesIO(text))
        return file.getvalue()

    result = measure(archive(b"one\n"), archive(b"two\n"), "x.tar")
    members = [member for _, member, _, _ in result["leaves"]]
    assert members[:3] == ["../../../outside", "/etc/ftc-outside", "link/x"]
    assert members[3] == r"red\x1b[31m\nnew\u202eline"
    assert all(member.isprintable() and len(member) <= 1000 for member in members)
    assert not os.path.exists("/etc/ftc-outside")


def elf_with(**fields):
    """An ELF header that says what it likes."""
    names = ("type", "machine", "version", "entry", "phoff", "shoff", "flags", "ehsize", "phentsize", "phnum",
             "shentsize", "shnum", "shstrndx")  # fmt: skip
    values = dict.fromkeys(names, 0) | {"type": 1, "machine": 62, "version": 1, "ehsize": 64, "shentsize": 64} | fields
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", *(values[name] for name in names))
    return head + bytes(64) * 70_000


def tar_header(kind, size):
    block = tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT)
    block = block[:124] + size + block[136:148] + b" " * 8 + kind + block[157:482] + b"\1" + block[483:]
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


LYING = {
    "elf sections": elf_with(shoff=64, shnum=65535, shstrndx=1),
    "elf names": elf_with(shoff=64, shnum=2, shstrndx=1)[:128]
    + struct.pack("<IIQQQQIIQQ", 1, 3, 0, 0, 192, 80 << 20, 0, 0, 1, 0) + b"n" * (80 << 20),
    "tar size": tar_header(b"0", b"77777777777\0") + b"x" * 5000,
    "tar size in base 256": tar_header(b"0", b"\x80" + b"\x7f" + b"\xff" * 10) + b"x" * 5000,
    "tar long name": tar_header(b"L", b"00077777777\0") + b"x" * 5000,
    "tar pax": tar_header(b"x", b"00077777777\0") + b"1" * 3_000_000,
    "tar sparse": tar_header(b"S", b"00000000000\0") + b"\1" * 5000,
    "ar size": b"!<arch>\n" + b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"a/", 0, 0, 0, 0, 9_999_999_999) + b"x",
    "cpio size": b"070701" + b"F" * 104 + b"x" * 1000,
    "cpio odc size": b"070707" + b"7" * 70 + b"x" * 1000,
    "cpio binary size": struct.pack("<13H", 0o070707, 1, 2, 0o100644, 0, 0, 1, 0, 1, 2, 2, 65535, 65535) + b"a\0" + b"x" * 1000,
    "png size": b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT" + b"x" * 1000,
    "gzip cut short": gzip.compress(os.urandom(5000))[:2000],
    "sqlite": b"SQLite format 3\0" + b"\x10\0\1\1\0\x40\x20\x20" + b"\xff" * 5000,
    "class": b"\xca\xfe\xba\xbe\0\0\0\x41\xff\xff" + b"\1\xff\xff" * 1000,
    "pdf": b"%PDF-1.4\n" + b"1 0 obj\n" * 400_000,
    "zip directory": struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 65535, 65535, 0xFFFFFFFF, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", LYING)
def test_headers_that_lie(measure, kind):
    measure(LYING[kind], LYING[kind] + b"!", "x", mebibytes=300)


def pyc(code):
    return MAGIC_NUMBER + bytes(12) + code


@pytest.mark.parametrize(
    "code", [b"(\xff\xff\xff\x7f", b"(" + struct.pack("<I", 3 << 20) + b"N" * (3 << 20), b")\1" * 100_000, b"\xa9\1r" + bytes(4)]
)  # fmt: skip
def test_compiled_modules_that_hold_no_code(measure, code):
    measure(pyc(code), pyc(code + b"!"), "x.pyc")


def test_constants_of_a_compiled_module_that_double(measure):
    """Each of 60 tuples holds the next one, and once more as a reference: 2 ** 60 values when shown."""
    depth = 60
    constants = (
        b"\xa9\2" * depth
        + b"N"
        + b"".join(
            (b"N" if level == depth - 1 else b"r" + struct.pack("<I", level + 1)) for level in reversed(range(depth))
        )
    )
    code = struct.pack("<cIIIII", b"c", 0, 0, 0, 1, 0) + b"s\0\0\0\0" + constants + b")\0" * 2 + b"s\0\0\0\0"
    code += b"z\1m" * 3 + bytes(4) + b"s\0\0\0\0" * 2
    result = measure(pyc(code), pyc(code.replace(b"z\1m", b"z\1n")), "x.pyc")
    if sys.version_info >= (3, 11):
        assert "its constants are too large" in result["leaves"][0][3]


TEXTS = {
    "deep json": (b"[" * 100_000 + b"]" * 100_000, b"[" * 100_001 + b"]" * 100_001),
    "nested json": (b"[" * 900 + b"1" * 4000 + b"]" * 900, b"[" * 900 + b"2" * 4000 + b"]" * 900),
    "huge number": (b"[" + b"1" * 3_000_000 + b"]", b"[" + b"1" * 2_999_999 + b"2]"),
    "short lines": (b"a\n" * 5_000_000, b"b\n" * 5_000_000),
    "no agreement": (
        b"".join(b"%d\n" % number for number in range(500_000)),
        b"".join(b"-%d\n" % number for number in range(500_000)),
    ),
    "one line": (b"x" * 50_000_000 + b"a", b"x" * 50_000_000 + b"b"),
    "every other byte": (b"\0\1" * 5_000_000, b"\0\2" * 5_000_000),
    "noise": (b"\0" + bytes(range(256)) * 40_000, b"\1" + bytes(reversed(range(256))) * 40_000),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_contents_that_are_hard_to_compare(measure, kind):
    measure(*TEXTS[kind], mebibytes=350)


def test_the_time_is_a_bound(measure):
    stream = bz2.compress(bytes(50 << 20)) * 1000
    result = measure(stream + b"a", stream + b"b", within=8, seconds=1, decompressed=1 << 40)
    assert result["leaves"] == [["content", "", f"byte {len(stream):#x}", "stopped after 1 s"]]
    assert result["cut"] == ["stopped after 1 s"]


def test_what_was_found_before_the_time_was_over_is_kept(measure):
    bomb = bz2.compress(bytes(50 << 20)) * 1000
    one, other = (zipped(("a.txt", text), ("b.bz2", bomb + text)) for text in (b"one\n", b"two\n"))
    result = measure(one, other, "x.zip", within=8, seconds=2, decompressed=1 << 40)
    assert result["leaves"] == [["content", "a.txt", "line 1", ""]]
    assert result["cut"] == ["stopped after 2 s"]


def test_a_sqlite_database_runs_nothing_of_its_own(measure, tmp_path):
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    for side in ("one", "other"):
        with sqlite3.connect(tmp_path / side) as database:
            database.execute(f"create view v as {endless}")
            database.execute("create table g(a, b as (hex(zeroblob(100000000 + a))))")
            database.execute("create table t(a)")
            database.execute("insert into g(a) values (1)")
            database.execute("insert into t values (?)", (side,))
        database.close()
    result = measure(None, None, "x.db", within=5)
    assert [location for _, _, location, _ in result["leaves"]] == ["sqlite table t, row 1, column a"]


FLOODS = {
    "x.pkl": lambda end: b"\x80\x02(" + b"]" * 5_000_000 + b"K" + end + b"l.",
    "numbers.pkl": lambda end: b"\x80\x02(" + b"K\1" * 250_000 + b"K" + end + b"l.",
    "x.onnx": lambda end: b"\x08\x08" + b"\x72\0" * 300_000 + b"\x20" + end,
    "x.png": lambda end: _png(4000, 3000, b"\4" + b"\1\2\3\4" * 1000, end),
    "levels.parquet": lambda end: _levels(2_000_000, 1, end),
    "lists.parquet": lambda end: _levels(2_000_000, 2, end),
    "columns.parquet": lambda end: _levels(200_000, 2, end, 40),
    "x.parquet": lambda end: _parquet(b"\x29\xfc" + b"\x80\x80\x80\x04" + b"\0" * (8 << 20) + b"\0", end),
}


def _png(width, height, line, end):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(line * (height - 1) + line[:-1] + end)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + b"crc!" for kind, data in chunks
    )


def _levels(count, repetition, end, columns=1):
    """A table of columns of one page each, in which one run says that all values are missing."""
    level = varint(count << 1) + (b"\0" if repetition == 1 else b"\1")
    data = (sized(level) if repetition == 2 else b"") + sized(varint(count << 1) + b"\0") + end
    return numbers_table(data_page(data, count), repetition=repetition, columns=columns)


def _parquet(footer, end):
    return b"PAR1" + end + footer + len(footer).to_bytes(4, "little") + b"PAR1"


@pytest.mark.parametrize("name", FLOODS)
def test_millions_of_values_in_a_data_file(measure, name):
    assert measure(FLOODS[name](b"\1"), FLOODS[name](b"\2"), name)
