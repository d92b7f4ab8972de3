"""A value packed in the ways in which packages and nested archives hide it."""

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
import zlib

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    zstd = pytest.importorskip("backports.zstd")


def _tar(name, data):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def _zip(name, data, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo("empty"), b"", method)
        archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def _ar(name, data):
    header = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name.encode() + b"/", 0, 0, 0, 0o644, len(data))
    return b"!<arch>\n" + header + data + b"\n" * (len(data) % 2)


PACKED = {
    "deb": (lambda data: _ar("data.tar.xz", lzma.compress(_tar("usr/app", data))), "data.tar.xz/usr/app"),
    "deb with zstd": (lambda data: _ar("data.tar.zst", zstd.compress(_tar("app", data))), "data.tar.zst/app"),
    "tar.zst": (lambda data: zstd.compress(_tar("app", data)), "app"),
    "zip in tar in zip": (lambda data: _zip("b.tar", _tar("c.zip", _zip("d", data))), "b.tar/c.zip/d"),
    "gzip in zip": (lambda data: _zip("a.gz", gzip.compress(data)), "a.gz"),
    "bzip2 in tar.gz": (lambda data: gzip.compress(_tar("a.bz2", bz2.compress(data))), "a.bz2"),
    "zip with LZMA": (lambda data: _zip("a", data, zipfile.ZIP_LZMA), "a"),
    "zlib": (zlib.compress, "its contents"),
}


@pytest.fixture(params=PACKED)
def packed(request):
    """Return a function that packs bytes, and the member that then holds them."""
    return PACKED[request.param]
