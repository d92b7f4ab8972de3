"""Archives made by the tools that builds use."""

import io
import os
import struct
import subprocess
import sys
import tarfile
import zipfile

import libarchive
import pytest
from lzip_files import lzip

DAY = 86_400
BORN = 1_600_000_000
FOLLOWS = "follows from another difference"


@pytest.fixture
def trees(folders):
    """Two equal trees t/a, t/b, each file dated."""
    for folder in folders:
        (folder / "t").mkdir()
        for name in "ab":
            (folder / "t" / name).write_text(f"text of {name}\n")
        date(folder, BORN)
    return folders


def date(folder, seconds):
    for name in ("a", "b", ""):
        os.utime(folder / "t" / name, (BORN, seconds))


def test_zip_entry_times_are_told_field_by_field(trees, run, compare, table):
    date(trees[1], BORN + DAY)
    for folder in trees:
        run("zip", "-q", "z.zip", "t/a", cwd=folder)
    found = compare(trees[0] / "z.zip", trees[1] / "z.zip", "z.zip")
    values = (str(BORN).encode(), str(BORN + DAY).encode())
    assert table(found) == [
        ("mtime", "t/a", "zip entry mtime", *values),
        ("mtime", "t/a", "zip extra field UT mtime", *values),
    ]
    assert found.cut == ()


def test_zip_order_modes_and_contents(trees, run, compare, table):
    os.chmod(trees[0] / "t/a", 0o644)
    os.chmod(trees[1] / "t/a", 0o664)
    (trees[1] / "t/b").write_text("other text of b\n")
    os.utime(trees[1] / "t/b", (BORN, BORN))
    run("zip", "-qX", "z.zip", "t/a", "t/b", cwd=trees[0])
    run("zip", "-qX", "z.zip", "t/b", "t/a", cwd=trees[1])
    assert table(compare(trees[0] / "z.zip", trees[1] / "z.zip", "z.zip")) == [
        ("order", "", "zip entry order", b"t/a\nt/b\n", b"t/b\nt/a\n"),
        ("mode", "t/a", "zip entry mode", b"0644", b"0664"),
        ("content", "t/b", "line 1", b"text of b\n", b"other text of b\n"),
    ]


def test_a_zip_entry_that_one_side_lacks_and_one_that_is_renamed(trees, run, compare, table):
    os.rename(trees[1] / "t/a", trees[1] / "t/c")
    (trees[1] / "t/d").write_text("new\n")
    for folder in trees:
        run("zip", "-qrXD", "z.zip", "t", cwd=folder)
    rows = table(compare(trees[0] / "z.zip", trees[1] / "z.zip", "z.zip"))
    assert ("name", "t/d", "zip entry only in the experiment build", b"", b"t/d") in rows
    assert ("name", "t/a", "zip entry name", b"t/a", b"t/c") in rows
    assert len(rows) == 2


def test_another_compression_level_is_told_apart_from_other_contents(folders, run, compare, table):
    text = "".join(f"{number} {number * number}\n" for number in range(2000))
    for folder, level in zip(folders, ("-1", "-9"), strict=True):
        (folder / "x").write_text(text)
        os.utime(folder / "x", (BORN, BORN))
        run("zip", "-qX", level, "z.zip", "x", cwd=folder)
        run("gzip", "-kn", level, "x", cwd=folder)
    field, member, location, *_ = table(compare(folders[0] / "z.zip", folders[1] / "z.zip", "z.zip"))[-1]
    assert (field, member, location) == ("header", "x", "zip entry compressed data (compression level or tool)")
    found = compare(folders[0] / "x.gz", folders[1] / "x.gz", "x.gz")
    assert [leaf.location for leaf in found.leaves] == ["gzip header XFL"]
    plain = [(folder / "x.gz").read_bytes() for folder in folders]
    plain[1] = plain[1][:8] + plain[0][8:9] + plain[1][9:]
    (leaf,) = compare(*plain, "x.gz").leaves
    assert (leaf.field.value, leaf.location) == ("header", "deflate stream (compression level or tool)")


def test_what_lies_before_a_zip_is_compared_too(compare, table):
    def zipapp(line):
        file = io.BytesIO(line)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(zipfile.ZipInfo("__main__.py"), "pass\n")
        return file.getvalue()

    rows = table(compare(zipapp(b"#!/one/python\n"), zipapp(b"#!/other/python\n"), "app.pyz"))
    assert rows == [("content", "", "data before the zip, line 1", b"#!/one/python\n", b"#!/other/python\n")]


def test_ntfs_and_owner_fields_of_zip_entries(compare, table):
    def archive(seconds, uid):
        ticks = (seconds + 11_644_473_600) * 10_000_000 + 5
        entry = zipfile.ZipInfo("x")
        entry.extra = struct.pack("<HHIHHQQQ", 10, 32, 0, 1, 24, ticks, ticks, ticks)
        entry.extra += struct.pack("<HHBBIBI", 0x7875, 11, 1, 4, uid, 4, 7)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            made.writestr(entry, "x")
        return file.getvalue()

    rows = table(compare(archive(BORN, 1000), archive(BORN + 1, 4711), "x.zip"))
    assert rows[0] == ("mtime", "x", "zip extra field NTFS mtime", b"1600000000.0000005", b"1600000001.0000005")
    assert rows[3] == ("owner", "x", "zip extra field ux uid", b"1000", b"4711")
    assert len(rows) == 4


@pytest.mark.parametrize("kind", ["v7", "oldgnu", "gnu", "ustar"])
def test_tar_headers_are_told_field_by_field(trees, run, compare, table, kind):
    date(trees[1], BORN + DAY)
    os.chmod(trees[0] / "t/a", 0o644)
    os.chmod(trees[1] / "t/a", 0o664)
    run("tar", f"--format={kind}", "--numeric-owner", "--owner=:0", "--group=:5", "-cf", "x.tar", "t/a", cwd=trees[0])
    run("tar", f"--format={kind}", "--numeric-owner", "--owner=:7", "--group=:5", "-cf", "x.tar", "t/a", cwd=trees[1])
    assert table(compare(trees[0] / "x.tar", trees[1] / "x.tar", "x.tar")) == [
        ("mtime", "t/a", "tar member mtime", str(BORN).encode(), str(BORN + DAY).encode()),
        ("mode", "t/a", "tar member mode", b"0644", b"0664"),
        ("owner", "t/a", "tar member uid", b"0", b"7"),
    ]


def test_tar_order_names_links_and_contents_through_two_layers(trees, run, compare, table):
    for folder, target in zip(trees, ("a", "b"), strict=True):
        os.symlink(target, folder / "t/link")
    (trees[1] / "t/b").write_text("other\n")
    common = ("--owner=0", "--group=0", "--mtime=@0", "-czf")
    run("tar", *common, "x.tgz", "t/a", "t/b", "t/link", cwd=trees[0], GZIP="-n")
    run("tar", *common, "x.tgz", "t/b", "t/a", "t/link", cwd=trees[1], GZIP="-n")
    assert table(compare(trees[0] / "x.tgz", trees[1] / "x.tgz", "x.tgz")) == [
        ("order", "", "tar member order", b"t/a\nt/b\nt/link\n", b"t/b\nt/a\nt/link\n"),
        ("content", "t/b", "line 1", b"text of b\n", b"other\n"),
        ("name", "t/link", "tar member link target", b"a", b"b"),
    ]


def test_pax_times_and_the_process_id_in_the_name_of_a_record(trees, run, compare, table):
    for folder, seconds in zip(trees, ("1600000000.25", "1600000000.75"), strict=True):
        options = "--pax-option=delete=atime,delete=ctime"
        run("tar", "--format=pax", options, f"--mtime=@{seconds}", "-cf", "x.tar", "t/a", cwd=folder)
    rows = table(compare(trees[0] / "x.tar", trees[1] / "x.tar", "x.tar"))
    assert rows[0] == ("mtime", "t/a", "tar pax header mtime", b"1600000000.25", b"1600000000.75")
    pids = [(location, control) for _, _, location, control, _ in rows[1:]]
    assert all(location == "tar pax header record name" and b"PaxHeaders" in name for location, name in pids)


def test_a_pax_header_on_one_side_only_is_told_by_what_it_says(trees, run, compare, table):
    for folder, seconds in zip(trees, ("1600000000.25", "1600000001"), strict=True):
        options = "--pax-option=delete=atime,delete=ctime"
        run("tar", "--format=pax", options, f"--mtime=@{seconds}", "-cf", "x.tar", "t/a", cwd=folder)
    assert table(compare(trees[0] / "x.tar", trees[1] / "x.tar", "x.tar")) == [
        ("mtime", "t/a", "tar pax header mtime", b"1600000000.25", b""),
        ("mtime", "t/a", "tar member mtime", b"", b"1600000001"),
    ]


def test_long_names_of_gnu_and_pax_are_read(compare):
    def archive(kind, text):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=kind) as made:
            info = tarfile.TarInfo("d/" * 100 + "näme")
            info.size = len(text)
            made.addfile(info, io.BytesIO(text))
        return file.getvalue()

    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (leaf,) = compare(archive(kind, b"one\n"), archive(kind, b"two\n"), "x.tar").leaves
        assert (leaf.member, leaf.location) == ("d/" * 100 + "näme", "line 1")


def test_sparse_tar_members_are_walked_over(folders, run, compare, table):
    for folder, text in zip(folders, ("one\n", "two\n"), strict=True):
        with open(folder / "sparse", "wb") as file:
            for position in range(1, 60):
                file.seek(position * 65536)
                file.write(b"x" * 4096)
        (folder / "z").write_text(text)
        run("tar", "--format=gnu", "-S", "--mtime=@0", "-cf", "x.tar", "sparse", "z", cwd=folder)
    rows = table(compare(folders[0] / "x.tar", folders[1] / "x.tar", "x.tar"))
    assert rows == [("content", "z", "line 1", b"one\n", b"two\n")]


def test_gzip_header_time_and_name(folders, run, compare, table):
    for folder, name, seconds in zip(folders, ("here", "there"), (BORN, BORN + DAY), strict=True):
        (folder / name).write_text("x\n")
        os.utime(folder / name, (seconds, seconds))
        run("gzip", "-N", name, cwd=folder)
    assert table(compare(folders[0] / "here.gz", folders[1] / "there.gz", "x.gz")) == [
        ("mtime", "", "gzip header MTIME", str(BORN).encode(), str(BORN + DAY).encode()),
        ("header", "", "gzip header FNAME", b"here", b"there"),
    ]


@pytest.mark.parametrize(("tool", "extension"), [("xz", ".xz"), ("bzip2", ".bz2"), ("zstd", ".zst"), ("gzip", ".gz")])
def test_compressed_files_are_read_through(folders, run, compare, table, tool, extension):
    for folder, text in zip(folders, ("one", "two"), strict=True):
        (folder / "x").write_text("first\n" + text + "\n")
        os.utime(folder / "x", (BORN, BORN))
        run(tool, "-q", "x", cwd=folder)
        twice = (folder / f"x{extension}").read_bytes() * 2
        (folder / "y").write_bytes(twice + b"rest of " + text.encode())
    assert table(compare(folders[0] / f"x{extension}", folders[1] / f"x{extension}")) == [
        ("content", "", "line 2", b"one\n", b"two\n")
    ]
    rows = table(compare(folders[0] / "y", folders[1] / "y"))
    assert [location for _, _, location, *_ in rows] == ["line 2", "line 4", "data after the compressed stream, line 1"]


def test_lzip_files_are_read_through(folders, compare, table):
    for folder, text in zip(folders, (b"one\n", b"two\n"), strict=True):
        (folder / "x.lz").write_bytes(lzip(b"first\n" + text) + lzip(b"last\n") + b"rest of " + text)
    rows = table(compare(folders[0] / "x.lz", folders[1] / "x.lz"))
    assert [location for _, _, location, *_ in rows] == ["line 2", "data after the compressed stream, line 1"]


def test_a_broken_lzip_file_is_compared_by_its_bytes(folders, compare):
    for folder, text in zip(folders, (b"one\n", b"two\n"), strict=True):
        (folder / "x.lz").write_bytes(lzip(text)[:-24])
    found = compare(folders[0] / "x.lz", folders[1] / "x.lz", "x.lz")
    assert found.leaves[0].location.startswith("byte ")


def test_without_zstd_the_bytes_are_compared_and_the_note_says_what_to_install(folders, run, compare, monkeypatch):
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    for folder, text in zip(folders, ("one", "two"), strict=True):
        (folder / "x").write_text(text)
        run("zstd", "-q", "x", cwd=folder)
    leaves = compare(folders[0] / "x.zst", folders[1] / "x.zst", "x.zst").leaves
    assert leaves[0].location.startswith("byte ")
    assert leaves[0].note == "not examined: zstd support is not installed: pip install pytest-ftc[zstd]"


def test_static_libraries_and_their_symbols(folders, run, compare, table):
    for folder, symbol in zip(folders, ("first", "other"), strict=True):
        (folder / "m.c").write_text(f"int {symbol}(void) {{ return 1; }}\n")
        run("gcc", "-c", "-o", "a_member_with_a_long_name.o", "m.c", cwd=folder)
        run("objcopy", "--strip-all", "a_member_with_a_long_name.o", "plain", cwd=folder)
        run("ar", "rcD", "lib.a", "a_member_with_a_long_name.o", cwd=folder)
    rows = table(compare(folders[0] / "lib.a", folders[1] / "lib.a", "lib.a"))
    assert rows[0] == ("content", "", "ar symbol table, symbol 1", b"first\0", b"other\0")
    name = "a_member_with_a_long_name.o"
    assert rows[1] == ("content", name, "ELF section .strtab, string 3", b"first\0", b"other\0")
    assert len(rows) == 2


def test_times_and_modes_of_ar_members(trees, run, compare, table):
    date(trees[1], BORN + DAY)
    os.chmod(trees[0] / "t/a", 0o644)
    os.chmod(trees[1] / "t/a", 0o664)
    for folder in trees:
        run("ar", "rcU", "x.a", "t/a", "t/b", cwd=folder)
    rows = table(compare(trees[0] / "x.a", trees[1] / "x.a", "x.a"))
    assert rows == [
        ("mtime", "a", "ar member mtime", str(BORN).encode(), str(BORN + DAY).encode()),
        ("mode", "a", "ar member mode", b"0644", b"0664"),
        ("mtime", "b", "ar member mtime", str(BORN).encode(), str(BORN + DAY).encode()),
    ]


def test_a_debian_package_down_to_the_file_with_its_checksum_marked(folders, run, compare):
    for folder, text in zip(folders, ("one\n", "two\n"), strict=True):
        root = folder / "root"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "usr/share/x").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: m <m@x>\nDescription: x\n"
        )
        (root / "usr/share/x/file").write_text(text)
        sums = run("md5sum", "usr/share/x/file", cwd=root)
        (root / "DEBIAN/md5sums").write_text(sums)
        for path in [root, *root.rglob("*")]:
            os.utime(path, (BORN, BORN))
        run("dpkg-deb", "--root-owner-group", "-b", "root", "x.deb", cwd=folder, SOURCE_DATE_EPOCH=str(BORN))
    first, last = compare(folders[0] / "x.deb", folders[1] / "x.deb", "x.deb").leaves
    assert first.member.startswith("data.tar.") and first.member.endswith("/usr/share/x/file")
    assert (first.location, first.control, first.experiment, first.note) == ("line 1", b"one\n", b"two\n", "")
    assert last.member.startswith("control.tar.") and last.member.endswith("/md5sums")
    assert last.note == FOLLOWS


def test_cpio_archives(folders, compare, table):
    def archive(folder, seconds, text):
        path = str(folder / "x.cpio")
        with libarchive.file_writer(path, "cpio_newc") as made:
            made.add_file_from_memory("a", 2, b"a\n", mtime=(seconds, 0))
            made.add_file_from_memory("b", len(text), text, mtime=(BORN, 0))
        return folder / "x.cpio"

    rows = table(compare(archive(folders[0], BORN, b"one\n"), archive(folders[1], BORN + 1, b"two\n"), "x.cpio"))
    assert rows == [
        ("mtime", "a", "cpio entry mtime", b"1600000000", b"1600000001"),
        ("content", "b", "line 1", b"one\n", b"two\n"),
    ]


@pytest.mark.parametrize("form", ["odc", "bin", "newc", "crc"])
def test_each_format_of_cpio_is_read(trees, run, compare, table, form):
    date(trees[1], BORN + 1)
    (trees[1] / "t/b").write_text("another text, of b\n")
    os.utime(trees[1] / "t/b", (BORN, BORN))
    os.chmod(trees[0] / "t/a", 0o644)
    os.chmod(trees[1] / "t/a", 0o600)
    for folder, names in zip(trees, ("t/a\nt/b\n", "t/b\nt/a\n"), strict=True):
        command = ["cpio", "--quiet", "-o", "-R", "0:0", "--reproducible", "-H", form]
        (folder / "x.cpio").write_bytes(
            subprocess.run(command, input=names.encode(), cwd=folder, capture_output=True, check=True).stdout
        )
    found = table(compare(trees[0] / "x.cpio", trees[1] / "x.cpio", "x.cpio"))
    assert [row for row in found if not row[2].endswith(" ino")] == [
        ("order", "", "cpio entry order", b"t/a\nt/b\n", b"t/b\nt/a\n"),
        ("mtime", "t/a", "cpio entry mtime", b"1600000000", b"1600000001"),
        ("mode", "t/a", "cpio entry mode", b"0644", b"0600"),
        ("content", "t/b", "line 1", b"text of b\n", b"another text, of b\n"),
    ]


@pytest.mark.parametrize("order", "<>")
def test_a_binary_cpio_archive_of_any_machine_is_read(compare, table, order):
    def archive(uid):
        out = b""
        for name, data in ((b"a", b"odd"), (b"TRAILER!!!", b"")):
            high, low = divmod(BORN, 1 << 16)
            head = (0o070707, 5, 6, 0o100644, uid, 8, 1, 0, high, low, len(name) + 1, 0, len(data))
            out += struct.pack(f"{order}13H", *head) + name + bytes(2 - len(name) % 2) + data + bytes(len(data) % 2)
        return out

    assert table(compare(archive(7), archive(9), "x")) == [("owner", "a", "cpio entry uid", b"7", b"9")]


def test_what_only_begins_like_a_binary_cpio_archive_is_none(compare, table):
    start = struct.pack("<H", 0o070707)
    for rest in (bytes(40), struct.pack("<12H", 0, 0, 0o100644, 0, 0, 1, 0, 0, 0, 4, 0, 0) + b"abcd"):
        rows = table(compare(start + rest + b"\0one", start + rest + b"\0two", "x"))
        assert [row[0] for row in rows] == ["content"]
        assert not any("cpio" in row[2] for row in rows)


def test_a_jar_within_a_zip_within_a_tar_is_named_by_all_of_them(compare, table):
    def nest(text):
        inner, middle, outer = io.BytesIO(), io.BytesIO(), io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("x.properties"), f"#{text}\nk=v\n", zipfile.ZIP_DEFLATED)
        with zipfile.ZipFile(middle, "w") as archive:
            archive.writestr(zipfile.ZipInfo("lib/inner.jar"), inner.getvalue())
        with tarfile.open(fileobj=outer, mode="w:xz") as archive:
            info = tarfile.TarInfo("./dist/app.zip")
            info.size = len(middle.getvalue())
            archive.addfile(info, io.BytesIO(middle.getvalue()))
        return outer.getvalue()

    rows = table(compare(nest("Mon"), nest("Tue"), "x.tar.xz"))
    assert rows == [("content", "dist/app.zip/lib/inner.jar/x.properties", "line 1", b"#Mon\n", b"#Tue\n")]


def test_the_hashes_in_a_wheels_record_follow(compare):
    def wheel(text, extra=""):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            made.writestr(
                zipfile.ZipInfo("x-1.dist-info/RECORD"), f"x/a.py,sha256=h{text},{len(text)}\nx/b.py,,\n{extra}"
            )
            made.writestr(zipfile.ZipInfo("x/a.py"), f"{text}\n")
        return file.getvalue()

    first, last = compare(wheel("one"), wheel("two"), "x-1-py3-none-any.whl").leaves
    assert (first.member, first.note, last.member, last.note) == ("x/a.py", "", "x-1.dist-info/RECORD", FOLLOWS)
    lines = compare(wheel("one"), wheel("two", "x/new.py,sha256=h,1\n"), "x-1-py3-none-any.whl").leaves
    assert [(leaf.member, leaf.note) for leaf in lines if leaf.control == b""] == [("x-1.dist-info/RECORD", "")]


def test_many_alike_differences_are_summed_up(compare):
    def archive(seconds):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as made:
            for number in range(230):
                info = tarfile.TarInfo(f"f{number:03}")
                info.mtime = seconds
                made.addfile(info)
            last = tarfile.TarInfo("last")
            last.size = 4
            made.addfile(last, io.BytesIO(f"{seconds:04}"[-4:].encode()))
        return file.getvalue()

    found = compare(archive(1000), archive(2000), "x.tar")
    assert [leaf.member for leaf in found.leaves] == [*(f"f{number:03}" for number in range(200)), "last"]
    assert found.cut == ("tar member mtime: 30 more members of the output",)


def test_of_many_differences_one_of_each_kind_is_listed(compare):
    def archive(seconds, mode, later):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as made:
            for number in range(460):
                info = tarfile.TarInfo(f"f{number:03}")
                info.mtime, info.mode = (seconds, 0o644) if number < 440 else (seconds + later, mode)
                made.addfile(info)
        return file.getvalue()

    found = compare(archive(10**9, 0o644, 0), archive(10**9 - 86400, 0o600, 10**7), "x.tar")
    times = [leaf.member for leaf in found.leaves if leaf.location == "tar member mtime"]
    assert times == [*(f"f{number:03}" for number in range(200)), "f440"]
    assert found.cut == ("tar member mtime: 260 more members of the output",)
