"""Which normalizer a file gets."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.formats import choose_normalizer
from pytest_ftc.normalize.rules import Rules
from pytest_ftc.normalize.tar import normalize_tar
from pytest_ftc.normalize.zip.rewrite import normalize_zip


def packed(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "tar":
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("x"))
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x", "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "normalizer"),
    [
        (packed("tar"), normalize_tar),
        (packed("zip"), normalize_zip),
        (b"#!/bin/sh\nexec python $0\n" + packed("zip"), normalize_zip),
        (b"PK\5\6" + bytes(18), normalize_zip),
    ],
    ids=["tar", "zip", "zip behind a script", "empty zip"],
)
def test_the_bytes_decide_and_not_the_name(data, normalizer):
    source = io.BytesIO(data)
    assert choose_normalizer(Path("x.bin"), source) is normalizer
    assert source.tell() == 0


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_file_is_read_by_its_own_reader(pack):
    source, target = io.BytesIO(pack(b"text")), io.BytesIO()
    choose_normalizer(Path("x"), source)(source, target, Rules(epoch=0))
    assert target.getvalue()[:3] == source.getvalue()[:3]


@pytest.mark.parametrize("data", [b"", b"plain text", b"\x7fELF" + bytes(600)])
def test_what_is_not_known_is_refused(data):
    with pytest.raises(NormalizationError, match="unknown format; known are tar, zip"):
        choose_normalizer(Path("x.tar"), io.BytesIO(data))


def test_a_thin_archive_is_refused_since_it_does_not_hold_its_members():
    source = io.BytesIO(b"!<thin>\n")
    with pytest.raises(NormalizationError, match="thin"):
        choose_normalizer(Path("x.a"), source)(source, io.BytesIO(), Rules(epoch=0))
