"""Finding bytes in files, also inside what is compressed."""

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile

import pytest

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.search import seek


class Token:
    """What is looked for."""

    overlap = 11

    def find(self, data, among):
        return ["token"] if b"s3cr3t-value" in data and (among is None or "token" in among) else []


TOKEN = Token()
TEXT = b"x" * 70_000 + b"s3cr3t-value" + b"y"


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"nothing")
        archive.writestr("b.txt", data)
    return file.getvalue()


def tarred(data):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo("a")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TEXT, [("", "token")]),
        (b"s3cr3t-valu", []),
        (b"", []),
        (gzip.compress(TEXT), [("its contents", "token")]),
        (bz2.compress(TEXT), [("its contents", "token")]),
        (lzma.compress(TEXT), [("its contents", "token")]),
        (tarred(TEXT), [("a", "token")]),
        (zipped(TEXT), [("b.txt", "token")]),
        (gzip.compress(TEXT)[:-20], []),
        (b"\x1f\x8bgarbage", []),
        (b"PK\x03\x04" + b"s3cr3t-value", [("", "token")]),
    ],
    # Archives hold the time, and workers of pytest-xdist have to agree on the names.
    ids=map(str, range(11)),
)
def test_bytes_are_found_wherever_they_stand(tmp_path, data, expected):
    (tmp_path / "out").write_bytes(data)
    assert list(seek(tmp_path / "out", TOKEN).places) == expected


def test_bytes_across_two_chunks_are_found(tmp_path):
    for before in range((1 << 20) - 13, (1 << 20) + 1):
        (tmp_path / "out").write_bytes(bytes(before) + b"s3cr3t-value" + bytes(9))
        assert seek(tmp_path / "out", TOKEN).places == (("", "token"),)


def test_a_bomb_ends(tmp_path):
    (tmp_path / "out").write_bytes(gzip.compress(bytes(1 << 29), 1))
    assert seek(tmp_path / "out", TOKEN).places == ()


def test_bytes_are_found_however_they_are_packed(tmp_path, packed):
    pack, member = packed
    data = pack(b" ".join(b"%d" % (number * number) for number in range(20_000)) + b"s3cr3t-value")
    assert b"s3cr3t-value" not in data
    (tmp_path / "out").write_bytes(data)
    found = seek(tmp_path / "out", TOKEN)
    assert found.places == ((member, "token"),)
    assert found.not_searched == ()


def test_bytes_of_a_stored_member_are_located_in_it(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", TEXT)
    (tmp_path / "out").write_bytes(file.getvalue())
    assert seek(tmp_path / "out", TOKEN).places == (("a", "token"),)
    (tmp_path / "out").write_bytes(b"#!s3cr3t-value\n" + file.getvalue())
    assert seek(tmp_path / "out", TOKEN, "out.zip").places == (("", "token"), ("a", "token"))


def test_what_came_before_a_limit_is_searched_and_the_limit_is_said(tmp_path):
    (tmp_path / "out").write_bytes(zipped(TEXT + bytes(10 << 20)))
    found = seek(tmp_path / "out", TOKEN, budget=Budget(Limits(decompressed=1 << 20)))
    assert found.places == (("b.txt", "token"),)
    assert found.not_searched == ("b.txt: more than 1048576 decompressed bytes",)


def test_nesting_ends_at_a_depth_and_that_is_said(tmp_path):
    data = TEXT
    for _ in range(30):
        data = gzip.compress(data)
    (tmp_path / "out").write_bytes(data)
    found = seek(tmp_path / "out", TOKEN)
    assert found.places == ()
    assert found.not_searched == ("nested more than 12 containers deep",)


def test_too_many_members_are_said(tmp_path):
    (tmp_path / "out").write_bytes(zipped(TEXT))
    found = seek(tmp_path / "out", TOKEN, budget=Budget(Limits(members=1)))
    assert found.not_searched == ("only the first 1 members were examined",)


def test_the_file_itself_is_searched_even_when_the_time_is_over(tmp_path):
    (tmp_path / "out").write_bytes(zipped(TEXT) + b"s3cr3t-value")
    found = seek(tmp_path / "out", TOKEN, budget=Budget(Limits(seconds=-1)))
    assert found.places == (("", "token"),)
    assert found.not_searched == ("stopped after -1 s",)


def test_an_encrypted_entry_is_said(tmp_path):
    data = bytearray(zipped(TEXT))
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.rindex(signature) + flags] |= 1
    (tmp_path / "out").write_bytes(data)
    assert seek(tmp_path / "out", TOKEN).not_searched == ("b.txt: it is encrypted",)


def test_a_format_without_a_reader_is_said(tmp_path):
    (tmp_path / "out").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    assert seek(tmp_path / "out", TOKEN).not_searched == ("no reader for 7z archives",)


def test_zstd_without_a_decoder_is_said(tmp_path, monkeypatch):
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "out").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    (told,) = seek(tmp_path / "out", TOKEN).not_searched
    assert told.startswith("zstd support is not installed")


def test_names_that_climb_and_links_are_not_followed(tmp_path):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "outside")
        archive.addfile(link)
        info = tarfile.TarInfo("../../outside")
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    (tmp_path / "outside").write_bytes(b"untouched")
    (tmp_path / "out").write_bytes(gzip.compress(file.getvalue()))
    assert seek(tmp_path / "out", TOKEN).places == (("../../outside", "token"),)
    assert (tmp_path / "outside").read_bytes() == b"untouched"
