"""Zip archives, jars, wheels and zipapps, made and read by zip, unzip, jar, java, pip and zipfile."""

import base64
import hashlib
import io
import os
import struct
import subprocess
import sys
import zipapp
import zipfile
from pathlib import Path

import pytest

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.zip.writing import dos_time

FIXTURES = Path(__file__).parents[4] / "fixtures"


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def write(path, members, comment=b""):
    """Write `members`, names or ZipInfos with contents, with zipfile."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = comment
    return path


def read(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def names(path):
    return list(read(path))


def test_two_archives_of_the_same_files_become_the_same(tree, other_tree, tmp_path, normalize):
    members = sorted(path.relative_to(tree.parent) for path in tree.rglob("*"))
    for root, name, order in ((tree, "one.zip", members), (other_tree, "other.zip", members[::-1])):
        run(
            "zip",
            "-qy",
            tmp_path / name,
            *order,
            cwd=root.parent,
            env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"},
        )
    assert (tmp_path / "one.zip").read_bytes() != (tmp_path / "other.zip").read_bytes()
    assert normalize(tmp_path / "one.zip") == normalize(tmp_path / "other.zip")


def test_unzip_unpacks_the_same_files(tree, tmp_path, normalize):
    run("zip", "-qry", tmp_path / "x.zip", "tree", cwd=tree.parent)
    normalize(tmp_path / "x.zip")
    assert "No errors detected" in run("unzip", "-t", tmp_path / "x.zip")
    run(
        "unzip",
        "-q",
        tmp_path / "x.zip",
        "-d",
        tmp_path / "unpacked",
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    )
    run("diff", "-r", "--no-dereference", tree, tmp_path / "unpacked" / "tree")
    assert os.access(tmp_path / "unpacked" / "tree" / "tool", os.X_OK)
    assert (tmp_path / "unpacked" / "tree" / "sub" / "words.txt").stat().st_mtime == 1_600_000_000
    assert zipfile.ZipFile(tmp_path / "x.zip").infolist()[0].extra == b""


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("content", [b"", b"x", b"text " * 100_000])
def test_every_method_is_kept(tmp_path, normalize, method, content):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        archive.writestr("a", content)
    normalize(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.getinfo("a").compress_type == method
        assert archive.read("a") == content
    if method != zipfile.ZIP_LZMA:
        run("unzip", "-t", tmp_path / "x.zip")


def test_the_level_that_a_build_chose_does_not_matter(tmp_path, normalize):
    results = set()
    for level in (1, 6, 9):
        with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
            archive.write(__file__, "a")
        results.add(normalize(tmp_path / "x.zip"))
    assert len(results) == 1


def test_a_streamed_archive_loses_its_data_descriptors(tmp_path, normalize):
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.content = b""

        def writable(self):
            return True

        def write(self, data):
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("b", b"2" * 100)
        archive.writestr("a", b"1" * 100)
    (tmp_path / "x.zip").write_bytes(pipe.content)
    assert zipfile.ZipFile(tmp_path / "x.zip").getinfo("a").flag_bits & 8
    normalize(tmp_path / "x.zip")
    assert read(tmp_path / "x.zip") == {"a": b"1" * 100, "b": b"2" * 100}
    assert not zipfile.ZipFile(tmp_path / "x.zip").getinfo("a").flag_bits & 8


@pytest.mark.parametrize(
    ("epoch", "date"),
    [
        (0, (1980, 1, 1, 0, 0, 0)),
        (315_532_799, (1980, 1, 1, 0, 0, 0)),
        (1_600_000_001, (2020, 9, 13, 12, 26, 40)),
        (0xFFFFFFFF, (2106, 2, 7, 6, 28, 14)),
    ],
)
def test_times_are_in_utc_and_never_before_1980(tmp_path, normalize, epoch, date):
    write(tmp_path / "x.zip", [("a", b"a")])
    normalize(tmp_path / "x.zip", epoch=epoch)
    assert zipfile.ZipFile(tmp_path / "x.zip").getinfo("a").date_time == date


def test_a_leap_second_cannot_overflow():
    assert dos_time(1_483_228_799) & 0x1F == 29


def test_names_in_any_encoding_keep_their_bytes(tmp_path, normalize):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("naïve", b"utf-8")
        archive.writestr("caf_", b"latin-1")
    # Two bytes that are not ASCII, and no flag that says UTF-8.
    (tmp_path / "x.zip").write_bytes((tmp_path / "x.zip").read_bytes().replace(b"caf_", b"caf\xe9"))
    content = normalize(tmp_path / "x.zip")
    assert content.count("naïve".encode()) == 2
    assert content.count(b"caf\xe9") == 2
    flags = {info.filename: info.flag_bits for info in zipfile.ZipFile(tmp_path / "x.zip").infolist()}
    assert flags["naïve"] == 0x800 and 0 in flags.values()


def test_a_unicode_path_field_stays_and_times_and_owners_go(tmp_path, normalize):
    info = zipfile.ZipInfo("a")
    unicode_path = struct.pack("<HH", 0x7075, 6) + b"\1\0\0\0\0a"
    info.extra = struct.pack("<HHBL", 0x5455, 5, 1, 99) + unicode_path + struct.pack("<HH", 0x7875, 2) + b"\1\0"
    write(tmp_path / "x.zip", [(info, b"a")])
    content = normalize(tmp_path / "x.zip")
    assert content.count(unicode_path) == 2
    assert b"UT" not in content and b"ux" not in content


def test_comments_stay(tmp_path, normalize):
    info = zipfile.ZipInfo("a")
    info.comment = b"of a member"
    write(tmp_path / "x.zip", [(info, b"a")], comment=b"of all")
    normalize(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert (archive.comment, archive.getinfo("a").comment) == (b"of all", b"of a member")


def test_more_members_than_16_bits_count(tmp_path, normalize):
    write(tmp_path / "x.zip", [(f"{number:05}", b"") for number in range(70_000, 0, -1)])
    normalize(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        found = archive.namelist()
    assert len(found) == 70_000
    assert found == sorted(found)
    assert "70000 files" in run("zipinfo", "-t", tmp_path / "x.zip")


def test_sizes_and_offsets_of_64_bits(tmp_path, normalize, monkeypatch):
    """All that is above 1000 bytes counts as above 4 GiB, which would take a minute."""
    monkeypatch.setattr("pytest_ftc.normalize.zip.writing._LARGEST", 1000)
    noise = os.urandom(5000)
    write(tmp_path / "x.zip", [("b", noise), ("a", b"zeros"), ("z", b"after")])
    normalize(tmp_path / "x.zip")
    assert read(tmp_path / "x.zip") == {"a": b"zeros", "b": noise, "z": b"after"}
    assert zipfile.ZipFile(tmp_path / "x.zip").getinfo("b").extract_version == 45
    assert "No errors detected" in run("unzip", "-t", tmp_path / "x.zip")
    assert run("jar", "tf", tmp_path / "x.zip").split() == ["a", "b", "z"]
    assert normalize(tmp_path / "x.zip") == (tmp_path / "x.zip").read_bytes()


def test_a_zipapp_still_runs(tmp_path, normalize):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("import other; print(other.WORDS)")
    (tmp_path / "app" / "other.py").write_text("WORDS = 'it runs'")
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz", interpreter=sys.executable)
    mode = (tmp_path / "app.pyz").stat().st_mode
    content = normalize(tmp_path / "app.pyz")
    assert content.startswith(f"#!{sys.executable}\n".encode())
    assert (tmp_path / "app.pyz").stat().st_mode == mode
    assert run(tmp_path / "app.pyz") == "it runs\n"


def test_a_program_put_before_a_zip_without_adjusting_its_offsets_stays(tmp_path, normalize):
    write(tmp_path / "x.zip", [("b", b"2"), ("a", b"1")])
    (tmp_path / "x").write_bytes(b"#!/bin/sh\nexit 3\n" + (tmp_path / "x.zip").read_bytes())
    assert normalize(tmp_path / "x").startswith(b"#!/bin/sh\nexit 3\nPK\3\4")
    assert read(tmp_path / "x") == {"a": b"1", "b": b"2"}


def test_an_epub_begins_with_its_stored_type(tmp_path, normalize):
    with zipfile.ZipFile(tmp_path / "x.epub", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", b"<container/>")
        archive.writestr("mimetype", b"application/epub+zip")
    assert normalize(tmp_path / "x.epub")[30:58] == b"mimetypeapplication/epub+zip"


def make_jar(folder, name, *options):
    folder.mkdir(exist_ok=True)
    (folder / "Hello.java").write_text(
        'class Hello { public static void main(String[] a) { System.out.println("hello"); } }'
    )
    (folder / "AAA.txt").write_text("a")
    run("javac", "Hello.java", cwd=folder)
    run("jar", "--create", "--file", name, "--main-class", "Hello", *options, "Hello.class", "AAA.txt", cwd=folder)
    return folder / name


def test_a_jar_keeps_its_manifest_in_front_and_runs(tmp_path, normalize):
    jar = make_jar(tmp_path / "jar", "x.jar")
    normalize(jar)
    assert run("jar", "tf", jar).split() == ["META-INF/", "META-INF/MANIFEST.MF", "AAA.txt", "Hello.class"]
    assert run("java", "-jar", jar) == "hello\n"
    assert jar.read_bytes()[39:43] == b"\xfe\xca\0\0"  # the mark of an executable jar


def test_jars_of_two_days_become_the_same(tmp_path, normalize):
    one = make_jar(tmp_path / "jar", "one.jar", "--date=2020-01-01T00:00:00Z")
    other = make_jar(tmp_path / "jar", "other.jar", "--date=2021-01-01T00:00:00Z")
    assert one.read_bytes() != other.read_bytes()
    assert normalize(one) == normalize(other)


def test_a_signed_jar_still_verifies(tmp_path, normalize):
    jar = make_jar(tmp_path / "jar", "x.jar")
    store = ["-keystore", tmp_path / "keys", "-storepass", "secret"]
    run("keytool", "-genkeypair", *store, "-alias", "me", "-dname", "CN=me", "-keyalg", "EC")
    run("jarsigner", *store, jar, "me")
    before = read(jar)
    normalize(jar)
    assert read(jar) == before
    assert "jar verified." in run("jarsigner", "-verify", jar)
    assert names(jar)[:4] == ["META-INF/", "META-INF/MANIFEST.MF", "META-INF/ME.EC", "META-INF/ME.SF"]


@pytest.fixture(scope="module")
def built_wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, FIXTURES / "wheel-hatchling")
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture
def wheel(built_wheel, tmp_path):
    path = tmp_path / built_wheel.name
    path.write_bytes(built_wheel.read_bytes())
    return path


def test_a_wheel_ends_with_its_record_and_installs(wheel, tmp_path, normalize):
    before = read(wheel)
    normalize(wheel)
    assert read(wheel) == before
    found = names(wheel)
    assert found[-1].endswith(".dist-info/RECORD")
    first = next(number for number, name in enumerate(found) if ".dist-info/" in name)
    assert all(".dist-info/" in name for name in found[first:])
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        tmp_path / "lib",
        wheel,
    )
    run(sys.executable, "-c", "import ftc_sample_hatchling", env={"PYTHONPATH": str(tmp_path / "lib")})


def make_wheel(path, record=None, files=(("p/__init__.py", b"x = 1\n"),)):
    members = [("p-1.dist-info/WHEEL", b"Wheel-Version: 1.0\n"), *files]
    if record is None:
        rows = []
        for name, content in members:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            rows.append(f"{name},sha256={digest},{len(content)}")
        record = "\n".join([*rows, "p-1.dist-info/RECORD,,", ""])
    return write(path, [("p-1.dist-info/RECORD", record), *members]), record


def test_a_wheel_with_a_right_record_is_rewritten(tmp_path, normalize):
    wheel, _ = make_wheel(tmp_path / "p-1-py3-none-any.whl")
    normalize(wheel)
    assert names(wheel) == ["p/__init__.py", "p-1.dist-info/WHEEL", "p-1.dist-info/RECORD"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("p/__init__.py,sha256=", "p/__init__.py,sha256=A", "RECORD is wrong about 'p/__init__.py'"),
        (",6\n", ",7\n", "RECORD is wrong about 'p/__init__.py'"),
        ("p/__init__.py,", "p/other.py,", "does not list 'p/__init__.py'"),
        ("p-1.dist-info/RECORD,,", "p/gone.py,sha256=A,1", "lists 'p/gone.py', which is not in the wheel"),
        ("p-1.dist-info/RECORD,,", "p/__init__.py,sha256=A,1", "lists 'p/__init__.py' twice"),
        ("p/__init__.py,sha256", "p/__init__.py,md5", "no hash of 'p/__init__.py' at least as strong"),
        ("p/__init__.py,sha256", "p/__init__.py,x,sha256", "RECORD cannot be read"),
        (",6\n", ",six\n", "RECORD cannot be read"),
    ],
)
def test_a_wheel_with_a_wrong_record_is_refused(tmp_path, normalize, old, new, words):
    _, record = make_wheel(tmp_path / "right.whl")
    wheel, _ = make_wheel(tmp_path / "p.whl", record.replace(old, new))
    assert record.replace(old, new) != record
    before = wheel.read_bytes()
    with pytest.raises(NormalizationError, match=words):
        normalize(wheel)
    assert wheel.read_bytes() == before


def test_a_wheel_without_record_is_refused(tmp_path, normalize):
    write(tmp_path / "p.whl", [("p-1.dist-info/WHEEL", b"")])
    with pytest.raises(NormalizationError, match="no RECORD"):
        normalize(tmp_path / "p.whl")


def test_a_wheel_with_two_metadata_folders_is_refused(tmp_path, normalize):
    write(tmp_path / "p.whl", [("p-1.dist-info/WHEEL", b""), ("q-1.dist-info/WHEEL", b"")])
    with pytest.raises(NormalizationError, match="this has 2"):
        normalize(tmp_path / "p.whl")


@pytest.mark.parametrize("mark", ["p-1.dist-info/INSTALLER", "__main__.py"])
def test_what_is_installed_in_an_application_is_no_wheel(tmp_path, normalize, mark):
    record = "p/__init__.py,sha256=x,6\np/__pycache__/__init__.cpython-311.pyc,,\n"
    files = [("p/__init__.py", b"x = 1\n"), (mark, b"pip\n"), ("q-1.dist-info/WHEEL", b"")]
    application, _ = make_wheel(tmp_path / "app.pyz", record, files)
    normalize(application)
    assert names(application) == sorted(names(application))


def symlink(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("a", b"1"), ("a", b"2")], "two members are named 'a'"),
        ([(symlink("a"), b"/etc"), ("a/b", b"x")], "'a/b' is below 'a'"),
        ([("a/", b"content")], "the folder 'a/' has content"),
        ([(".signature.p7s", b"x")], "NuGet"),
    ],
)
def test_what_is_not_safe_is_refused(tmp_path, normalize, members, words):
    path = write(tmp_path / "x.zip", members)
    before = path.read_bytes()
    with pytest.raises(NormalizationError, match=words):
        normalize(path)
    assert path.read_bytes() == before


def patched(tmp_path, *patches, method=zipfile.ZIP_STORED, comment=b"", extra=b""):
    """An archive of the one member ``a`` with bytes changed: records' signatures, offsets in them, and new values."""
    info = zipfile.ZipInfo("a")
    info.compress_type, info.extra = method, extra
    content = bytearray(write(tmp_path / "x.zip", [(info, b"content" * 9)], comment).read_bytes())
    for signature, offset, value in patches:
        at = content.index(signature) + offset
        content[at : at + len(value)] = value
    (tmp_path / "x.zip").write_bytes(content)
    return tmp_path / "x.zip"


LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


@pytest.mark.parametrize(
    ("patches", "options", "words"),
    [
        ([(CENTRAL, 10, b"\x63\0")], {}, "'a' has the unknown compression method 99"),
        ([(CENTRAL, 38, b"\0\0\0\x21")], {}, "'a' is not a file, folder or symlink"),
        ([(CENTRAL, 16, b"\0\0\0\0")], {}, "'a' is damaged: its size or CRC is wrong"),
        ([(CENTRAL, 24, b"\x05\0\0\0")], {}, "'a' is damaged: its size or CRC is wrong"),
        ([(CENTRAL, 8, b"\0\0")], {"method": zipfile.ZIP_LZMA}, "'a' is LZMA data without an end mark"),
        ([(LOCAL, 30 + 1 + 2, b"\6\0")], {"method": zipfile.ZIP_LZMA}, "'a' has unknown LZMA properties"),
        ([(LOCAL, 30, b"b")], {}, "'a' is not where the zip archive's directory says"),
        ([(LOCAL, 26, b"\xff\xff")], {}, "'a' is not where the zip archive's directory says"),
        ([(END, 6, b"\1\0")], {}, "one part of a zip archive in several files"),
        ([], {"comment": b"signed\6\0\xff\xff\6\0"}, "its comment holds a signature of the whole file"),
        ([], {"extra": b"\0\0\0"}, "an extra field of the zip archive is malformed"),
        (
            [(LOCAL, 31, b"BB\x50\0")],
            {"extra": b"BB\0\0"},
            "an extra field of the zip archive is cut short",
        ),
    ],
)
def test_a_lying_header_is_refused(tmp_path, normalize, patches, options, words):
    path = patched(tmp_path, *patches, **options)
    before = path.read_bytes()
    with pytest.raises(NormalizationError, match=words):
        normalize(path)
    assert path.read_bytes() == before


def test_a_directory_that_fills_the_memory_is_refused(tmp_path, normalize, monkeypatch):
    monkeypatch.setattr("pytest_ftc.normalize.bounded_io._LARGEST_READ", 1 << 20)
    write(tmp_path / "x.zip", [(f"{number:05}", b"") for number in range(30_000)])
    with pytest.raises(NormalizationError, match="one of its headers claims 1530000 bytes"):
        normalize(tmp_path / "x.zip")


def test_too_many_members_are_refused(tmp_path, normalize, monkeypatch):
    monkeypatch.setattr("pytest_ftc.normalize.rules.MOST_MEMBERS", 10)
    write(tmp_path / "x.zip", [(f"{number:05}", b"") for number in range(11)])
    with pytest.raises(NormalizationError, match="more than 10 members"):
        normalize(tmp_path / "x.zip")


def test_an_encrypted_member_is_refused(tmp_path, normalize):
    (tmp_path / "a").write_text("secret")
    run("zip", "-q", "-P", "word", "x.zip", "a", cwd=tmp_path)
    with pytest.raises(NormalizationError, match="'a' is encrypted"):
        normalize(tmp_path / "x.zip")


def test_a_signed_apk_is_refused(tmp_path, normalize):
    """Its signing block lies between the members and the directory."""
    content = write(tmp_path / "x.apk", [("classes.dex", b"dex")]).read_bytes()
    start = content.index(b"PK\1\2")
    block = struct.pack("<Q", 24) + struct.pack("<Q", 24) + b"APK Sig Block 42"
    end = bytearray(content[start:])
    struct.pack_into("<L", end, end.index(b"PK\5\6") + 16, start + len(block))
    (tmp_path / "x.apk").write_bytes(content[:start] + block + end)
    assert names(tmp_path / "x.apk") == ["classes.dex"]
    with pytest.raises(NormalizationError, match="32 bytes that belong to no member"):
        normalize(tmp_path / "x.apk")


def test_an_aligned_apk_is_refused(tmp_path, normalize):
    info = zipfile.ZipInfo("lib.so")
    info.extra = struct.pack("<HHH", 0xD935, 2, 4)
    write(tmp_path / "x.apk", [(info, b"so")])
    with pytest.raises(NormalizationError, match="then run zipalign"):
        normalize(tmp_path / "x.apk")


def test_data_after_the_end_is_refused(tmp_path, normalize):
    path = write(tmp_path / "x.zip", [("a", b"1")])
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(NormalizationError, match="other data follows"):
        normalize(path)


def test_data_behind_a_members_content_is_refused(tmp_path, normalize):
    """The deflate stream ends before the member's data does."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"content" * 20)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    directory = content.index(b"PK\1\2")
    for place in (18, directory + 20):
        struct.pack_into("<L", content, place, struct.unpack_from("<L", content, place)[0] + 4)
    struct.pack_into("<L", content, content.index(b"PK\5\6") + 16, directory + 4)
    (tmp_path / "x.zip").write_bytes(content[:directory] + b"hide" + content[directory:])
    assert read(tmp_path / "x.zip") == {"a": b"content" * 20}
    with pytest.raises(NormalizationError, match="'a' holds more than its content"):
        normalize(tmp_path / "x.zip")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, normalize):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50 << 20))
    with pytest.raises(NormalizationError, match="more than 1048576 bytes when decompressed; raise --max-size"):
        normalize(tmp_path / "x.zip", max_size=1 << 20)


def test_overlapping_members_are_refused(tmp_path, normalize):
    """As in a zip bomb whose members share their data."""
    content = bytearray(write(tmp_path / "x.zip", [("aa", b"1"), ("ab", b"1")]).read_bytes())
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 1)
    struct.pack_into("<L", content, second + 42, 0)
    content[second + 46 : second + 48] = b"aa"
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(NormalizationError):
        normalize(tmp_path / "x.zip")
