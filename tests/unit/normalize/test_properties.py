"""What holds for all archives: once is enough, how it was made does not matter, contents stay; and for hostile ones."""

import bz2
import gzip
import importlib.util
import io
import lzma
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.replace import normalize_file
from pytest_ftc.normalize.rules import Rules

RULES = Rules(epoch=1_600_000_000, max_size=16 << 20)

CALM = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

PART = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=6)
FILES = st.dictionaries(
    # A name that begins with .wh. marks a container layer, which is refused.
    st.lists(
        PART.filter(lambda part: part not in (".", "..") and not part.startswith(".wh.")), min_size=1, max_size=3
    ).map("/".join),
    st.tuples(st.binary(max_size=200), st.booleans()),
    max_size=6,
).filter(lambda files: not any(one != other and other.startswith(f"{one}/") for one in files for other in files))
"""Contents and whether they are executable, by name; no name is a folder of another."""


def normal(content: bytes, name: str = "file") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        normalize_file(path, RULES)
        assert [found.name for found in Path(folder).iterdir()] == [name]
        return path.read_bytes()


def make_tar(files, order, chance, format=tarfile.PAX_FORMAT):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name in order:
            content, executable = files[name]
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = (0o700 if executable else 0o600) | chance.randrange(0o100) & 0o66
            info.mtime = chance.choice([chance.randrange(1 << 31), chance.random() * 1e9])
            info.uid, info.gid = chance.randrange(60_000), chance.randrange(60_000)
            info.uname, info.gname = chance.choice(["", "me", "ünï"]), chance.choice(["", "us"])
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_zip(files, order, chance):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=chance.randrange(10)) as archive:
        for name in order:
            content, executable = files[name]
            info = zipfile.ZipInfo(name, (chance.randrange(1980, 2100), *(chance.randrange(1, 13) for _ in range(5))))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (0o100600 | chance.randrange(0o100) & 0o66 | (0o100 if executable else 0)) << 16
            info.extra = struct.pack("<HHBL", 0x5455, 5, 1, chance.randrange(1 << 31)) if chance.random() < 0.5 else b""
            archive.writestr(info, content)
    return buffer.getvalue()


def read_tar(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {info.name: (archive.extractfile(info).read(), bool(info.mode & 0o100)) for info in archive}


def read_zip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {i.orig_filename: (archive.read(i), bool(i.external_attr >> 16 & 0o100)) for i in archive.infolist()}


FORMATS = {
    "tar": (make_tar, read_tar),
    "tar.gz": (lambda *a: gzip.compress(make_tar(*a), a[2].randrange(10)), lambda c: read_tar(gzip.decompress(c))),
    "zip": (make_zip, read_zip),
}


@pytest.mark.parametrize("kind", FORMATS)
@CALM
@given(files=FILES.filter(bool), chance=st.randoms(use_true_random=False))
def test_how_an_archive_was_made_does_not_matter_and_contents_stay(kind, files, chance):
    make, read = FORMATS[kind]
    orders = [chance.sample(list(files), len(files)) for _ in range(2)]
    one, other = (normal(make(files, order, chance)) for order in orders)
    assert one == other
    assert read(one) == files
    assert normal(one) == one


@CALM
@given(files=FILES.filter(bool), chance=st.randoms(use_true_random=False))
def test_the_dialect_of_tar_does_not_matter(files, chance):
    one, other = (make_tar(files, list(files), chance, form) for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    assert normal(one) == normal(other)


def some_tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind in (("b", tarfile.REGTYPE), ("d", tarfile.DIRTYPE), ("é" * 60, tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = 700 if kind == tarfile.REGTYPE else 0
            info.mtime = 1.5
            archive.addfile(info, io.BytesIO(b"c" * info.size))
        info = tarfile.TarInfo("a")
        info.type, info.linkname = tarfile.LNKTYPE, "b"
        archive.addfile(info)
    return buffer.getvalue()


def some_gnu_tar():
    """With a long name and a sparse file in GNU's own forms."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("long" * 40)
        archive.addfile(info)
        info = tarfile.TarInfo("sparse")
        info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
        header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        header[386:410] = b"00000002000\0" + b"00000001000\0"
        header[483:495] = b"00000003000\0"
        header[148:156] = b"%06o\0 " % sum(header[:148] + b" " * 8 + header[156:])
        archive.fileobj.write(bytes(header) + b"s" * 512)
        archive.offset += 1024
    return buffer.getvalue()


def some_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("b", b"content" * 9)
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            archive.writestr(f"é{method}", b"content" * 99, method)
        archive.writestr("d/", b"")
        archive.comment = b"comment"
    return buffer.getvalue()


def some_wheel():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("p-1.dist-info/WHEEL", b"")
        row = "p-1.dist-info/WHEEL,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"
        archive.writestr("p-1.dist-info/RECORD", f"{row}\np-1.dist-info/RECORD,,\n")
    return buffer.getvalue()


def some_ar():
    heads = [b"%-16b%-12d%-6d%-6d%-8b%-10d`\n" % (name, 9, 9, 9, b"644", 3) for name in (b"/", b"a.o/", b"#1/2")]
    return b"!<arch>\n" + b"".join(head + b"xyz\n" for head in heads)


PYC = importlib.util.MAGIC_NUMBER + bytes(12) + b"code"
SAMPLES = {
    "tar": some_tar(),
    "gnu-tar": some_gnu_tar(),
    "zip": some_zip(),
    "whl": some_wheel(),
    "ar": some_ar(),
    "gz": gzip.compress(some_tar()),
    "xz": lzma.compress(some_tar()),
    "bz2": bz2.compress(some_tar()),
    "zst": zstd.compress(some_tar()),
    "pyc": PYC,
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_samples_are_good(kind):
    once = normal(SAMPLES[kind], f"x.{kind}")
    assert normal(once, f"x.{kind}") == once


@st.composite
def damaged(draw, content):
    """`content` with some bytes changed, a piece taken out or doubled, or the end cut off."""
    changed = bytearray(content)
    # Headers hold few of all bytes, and mostly digits matter.
    value = st.integers(0, 255) | st.sampled_from(b"\x00\x01\x30\x37\x39\x7f\x80\xff")
    for _ in range(draw(st.integers(0, 4))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(value)
    start, stop = sorted(draw(st.tuples(*[st.integers(0, len(changed))] * 2)))
    kind = draw(st.sampled_from(["as it is", "cut", "without", "twice"]))
    if kind == "cut":
        return bytes(changed[:stop])
    if kind == "without":
        return bytes(changed[:start] + changed[stop:])
    return bytes(changed + changed[start:stop]) if kind == "twice" else bytes(changed)


def fix_checksums(content):
    """Make the checksum of each tar header right, so that damage gets behind it."""
    fixed = bytearray(content)
    for at in range(0, len(fixed) - 511, 512):
        if fixed[at + 257 : at + 262] == b"ustar":
            block = fixed[at : at + 512]
            fixed[at + 148 : at + 156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    return bytes(fixed)


@pytest.mark.parametrize("kind", SAMPLES)
@settings(CALM, max_examples=200)
@given(data=st.data())
def test_damage_is_refused_or_leads_to_something_stable(kind, data):
    """Nothing but the one error is ever raised; what is accepted is normal afterwards."""
    content = data.draw(damaged(SAMPLES[kind]))
    if "tar" in kind:
        content = fix_checksums(content)
    if kind in ("gz", "xz", "bz2", "zst") and data.draw(st.booleans()):
        compress = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd.compress}[kind]
        content = compress(fix_checksums(data.draw(damaged(SAMPLES["tar"]))))
    try:
        once = normal(content, f"x.{kind}")
    except NormalizationError:
        return
    assert normal(once, f"x.{kind}") == once
