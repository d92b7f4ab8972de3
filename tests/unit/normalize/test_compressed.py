"""Gzip, xz, bzip2 and zstd, made and read by the tools of these names."""

import gzip
import io
import os
import subprocess
import tarfile

import pytest

from pytest_ftc.model.errors import NormalizationError

TOOLS = ["gzip", "xz", "bzip2", "zstd"]


def compress(tool, content, *options):
    return subprocess.run([tool, "-c", *options], input=content, capture_output=True, check=True).stdout


def decompress(tool, content):
    return subprocess.run([tool, "-dc"], input=content, capture_output=True, check=True).stdout


def put(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    "content", [b"", b"x", os.urandom(200_000), b"words " * 500_000], ids=["empty", "one", "noise", "words"]
)
def test_the_content_stays(tmp_path, normalize, tool, content):
    normal = normalize(put(tmp_path / "x", compress(tool, content)))
    assert decompress(tool, normal) == content


@pytest.mark.parametrize("tool", TOOLS)
def test_level_and_number_of_frames_do_not_matter(tmp_path, normalize, tool):
    content = b"some words and more\n" * 30_000
    single = normalize(put(tmp_path / "x", compress(tool, content, "-1")))
    parts = compress(tool, content[:1000], "-9") + compress(tool, content[1000:], "-9")
    assert normalize(put(tmp_path / "x", parts)) == single


@pytest.mark.parametrize("tool", TOOLS)
def test_many_tiny_frames(tmp_path, normalize, tool):
    parts = compress(tool, b"ab") * 5000
    assert decompress(tool, normalize(put(tmp_path / "x", parts))) == b"ab" * 5000


def test_gzip_keeps_neither_name_nor_time(tmp_path, normalize):
    (tmp_path / "secret-name").write_text("text")
    subprocess.run(["gzip", "-1", tmp_path / "secret-name"], check=True)
    normal = normalize(tmp_path / "secret-name.gz")
    assert normal[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    assert b"secret" not in normal


def test_gzip_is_what_python_writes_at_level_9_without_time(tmp_path, normalize):
    content = b"text " * 10_000
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(content)
    assert normalize(put(tmp_path / "x", gzip.compress(content, 1))) == buffer.getvalue()


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tar_archive_inside_is_normalized(tree, other_tree, tmp_path, normalize, tool):
    for root, name in ((tree, "one.tar"), (other_tree, "other.tar")):
        subprocess.run(["tar", f"--{tool}", "-cf", tmp_path / name, "-C", root.parent, "tree"], check=True)
    assert (tmp_path / "one.tar").read_bytes() != (tmp_path / "other.tar").read_bytes()
    normal = normalize(tmp_path / "one.tar")
    assert normal == normalize(tmp_path / "other.tar")
    listed = subprocess.run(
        ["tar", "-tf", tmp_path / "one.tar"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert listed[0] == "tree/"
    assert "tree/sub/words.txt" in listed


def test_a_tar_archive_inside_is_whole(tmp_path, normalize):
    """The first member too, which decides that it is an archive."""
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("only"))
    normalize(tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        assert archive.getnames() == ["only"]


def test_an_archive_inside_an_archive_is_content(tmp_path, normalize):
    with tarfile.open(tmp_path / "inner.tar.gz", "w:gz") as archive:
        archive.add(__file__, "a")
    inner = (tmp_path / "inner.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "inner.tar.gz", "inner.tar.gz")
    normalize(tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        assert archive.extractfile("inner.tar.gz").read() == inner


@pytest.mark.parametrize("tool", TOOLS)
def test_data_after_the_end_is_refused(tmp_path, normalize, tool):
    path = put(tmp_path / "x", compress(tool, b"text") + b"more")
    with pytest.raises(NormalizationError):
        normalize(path)


@pytest.mark.parametrize("tool", ["gzip", "xz"])
def test_padding_is_dropped_where_the_format_allows_it(tmp_path, normalize, tool):
    content = compress(tool, b"text")
    padded = normalize(put(tmp_path / "x", content + bytes(300_000)))
    assert padded == normalize(put(tmp_path / "x", content))
    with pytest.raises(NormalizationError, match="other data follows"):
        normalize(put(tmp_path / "x", content + bytes(300_000) + b"x"))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("cut", [1, 9, 50])
def test_a_file_that_is_cut_short_is_refused(tmp_path, normalize, tool, cut):
    content = compress(tool, os.urandom(1000))
    with pytest.raises(NormalizationError, match="cut short"):
        normalize(put(tmp_path / "x", content[:-cut]))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_bomb_is_refused(tmp_path, normalize, tool):
    path = put(tmp_path / "x", compress(tool, bytes(20 << 20)))
    with pytest.raises(NormalizationError, match="raise --max-size"):
        normalize(path, max_size=1 << 20)


def test_an_indexed_gzip_is_refused(tmp_path, normalize):
    content = compress("gzip", b"text")
    indexed = content[:3] + b"\x04" + content[4:10] + b"\6\0BC\2\0\0\0" + content[10:]
    with pytest.raises(NormalizationError, match="extra field"):
        normalize(put(tmp_path / "x", indexed))


def test_a_missing_library_is_named(tmp_path, normalize, monkeypatch):
    import sys

    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(NormalizationError, match=r"pip install 'pytest-ftc\[zstd\]'"):
        normalize(put(tmp_path / "x", compress("zstd", b"text")))
