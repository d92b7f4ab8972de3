"""A file that unpacks to much is rewritten piece by piece."""

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tarfile
import zipfile

import pytest

SIZE = 200 << 20
MOST = 170
"""MiB; the interpreter takes 30, xz's compressor 94, and a payload below 16 is not put into a file."""

CODE = """
import re, sys
from pathlib import Path
from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.replace import normalize_file
from pytest_ftc.normalize.rules import Rules
try:
    normalize_file(Path(sys.argv[1]), Rules(epoch=1, max_size=1 << 30))
    print("done")
except NormalizationError as error:
    print(error)
print(re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def zipped(method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a", bytes(SIZE))
    return buffer.getvalue()


def understated():
    """A zip archive whose member claims ten bytes."""
    size = SIZE.to_bytes(4, "little")
    return zipped(zipfile.ZIP_BZIP2).replace(size, (10).to_bytes(4, "little"))


def with_large_header():
    """A tar archive whose extended header claims all that follows."""
    info = tarfile.TarInfo("a")
    info.type, info.size = tarfile.XHDTYPE, SIZE
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(SIZE), 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: zipped(zipfile.ZIP_DEFLATED), "done"),
        (lambda: zipped(zipfile.ZIP_BZIP2), "done"),
        (understated, "member 'a' is damaged: its size or CRC is wrong"),
        (lambda: gzip.compress(bytes(SIZE), 1), "done"),
        (lambda: bz2.compress(bytes(SIZE)), "done"),
        (lambda: lzma.compress(bytes(SIZE), preset=0), "done"),
        (with_large_header, f"one of its headers claims {SIZE} bytes"),
    ],
)
def test_memory_is_bounded(tmp_path, make, said):
    (tmp_path / "x").write_bytes(make())
    done = subprocess.run([sys.executable, "-c", CODE, tmp_path / "x"], capture_output=True, text=True, check=True)
    *words, kibibytes = done.stdout.splitlines()
    assert words == [said]
    assert int(kibibytes) >> 10 < MOST
