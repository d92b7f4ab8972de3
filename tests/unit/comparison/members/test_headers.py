"""Fields of file systems, boot images, fonts and programs are told by their names."""

import gzip
import lzma
import re
import struct
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.comparison.members.formats.fixed.layouts import EXT, FAT, FAT32, ISO_9660, LAYOUTS, Kind
from pytest_ftc.comparison.members.limits import Limits
from pytest_ftc.comparison.members.walk import walk

IMAGES = Path(__file__).parent / "images"
"""Made by mksquashfs 4.5.1, mke2fs 1.47.0, mkfs.fat 4.2 with mcopy, genisoimage 1.1.11, mkimage 2023.01, mkswap 2.38.1
and mkfs.cramfs 2.38.1: twice each, from the same files at other times."""


@pytest.fixture
def look(tmp_path):
    """Return what differs between two contents: where, and the kinds of it."""

    def look(one: bytes, other: bytes) -> list[tuple[str, str, str, str]]:
        for name, data in (("one", one), ("other", other)):
            (tmp_path / name).write_bytes(data)
        found = walk(tmp_path / "one", tmp_path / "other", "image")
        assert not found.cut
        return [(leaf.field.value, leaf.member, leaf.location, leaf.note) for leaf in found.leaves]

    return look


def images(name: str) -> tuple[bytes, bytes]:
    one, other = (gzip.decompress((IMAGES / f"{name}-{side}.gz").read_bytes()) for side in (1, 2))
    return one, other


EXPECTED = {
    "squashfs": [("mtime", "", "squashfs superblock modification time", "")],
    "fat": [
        ("header", "", "FAT boot sector volume ID", ""),
        ("mtime", "A", "FAT entry mtime", ""),
        ("mtime", "A", "FAT entry creation time", ""),
    ],
    "uimage": [
        ("mtime", "", "uImage header ih_time", ""),
        ("header", "", "uImage header ih_hcrc", FOLLOWS),
    ],
    "swap": [("header", "", "swap header UUID", "")],
    "cramfs": [
        ("header", "", "cramfs superblock name", ""),
        ("header", "", "cramfs superblock crc", FOLLOWS),
    ],
    "iso": [
        ("mtime", "a", "ISO 9660 file record date", ""),
        ("mode", "a", "ISO 9660 file mode", ""),
        ("mtime", "a", "ISO 9660 file modify time", ""),
        ("mtime", "a", "ISO 9660 file access time", ""),
        ("mtime", "sub/deep", "ISO 9660 file record date", ""),
        ("mtime", "sub/deep", "ISO 9660 file modify time", ""),
        ("mtime", "sub/deep", "ISO 9660 file access time", ""),
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_tool_writes_at_another_time_is_told_by_its_name(look, name):
    assert look(*images(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", ["uimage", "cramfs"])
def test_a_checksum_is_computed_anew(tmp_path, name):
    one, other = images(name)
    offset = {"uimage": 4, "cramfs": 32}[name]
    wrong = bytes(byte ^ (offset <= place < offset + 4) for place, byte in enumerate(other))
    for side, expected in ((other, True), (wrong, False)):
        for file, data in (("one", one), ("other", side)):
            (tmp_path / file).write_bytes(data)
        leaves = walk(tmp_path / "one", tmp_path / "other", "image").leaves
        assert [leaf.is_recomputed for leaf in leaves] == [False, expected]


def test_an_ext_file_system_is_told_inode_by_inode(look):
    found = look(*images("ext4"))
    assert [place[2] for place in found if not place[1]] == [
        "ext superblock s_wtime",
        "ext superblock s_lastcheck",
        "ext superblock s_uuid",
        "ext superblock s_hash_seed",
        "ext superblock s_mkfs_time",
        "ext superblock s_checksum",
    ]
    assert {place[1] for place in found if place[1]} == {".", "a", "inode 1", "inode 7", "inode 8", "lost+found"}
    assert {place[2] for place in found if place[1] == "a"} == {
        f"ext inode {time}" for time in ("atime", "ctime", "mtime", "crtime")
    }


def test_dates_of_a_supplementary_descriptor_as_of_joliet_have_its_name(look):
    image, _ = images("iso")
    sides = []
    for second in (b"01", b"02"):
        side = bytearray(image)
        # It is put in the place of the one that ends the list.
        side[17 * 2048 : 18 * 2048] = b"\2" + side[16 * 2048 + 1 : 17 * 2048]
        side[17 * 2048 + 813 : 17 * 2048 + 829] = b"20200101000000"[:12] + second + b"00"
        sides.append(bytes(side))
    name = "ISO 9660 supplementary volume descriptor volume creation date"
    assert look(*sides) == [("mtime", "", name, "")]


@pytest.mark.parametrize("name", ["fat", "iso", "ext4"])
def test_a_file_in_a_file_system_is_compared_by_its_content(look, name):
    one, _ = images(name)
    text = b"hello\n"
    assert one.count(text) == 1
    assert [(place[0], place[1].lower(), place[2]) for place in look(one, one.replace(text, b"olleh\n"))] == [
        ("content", "a", "line 1")
    ]


@pytest.mark.parametrize("name", [*EXPECTED, "ext4"])
def test_bytes_without_a_name_are_told_by_their_offset(look, name):
    one, _ = images(name)
    changed = bytearray(one)
    spare = {"swap": 3000, "uimage": 66, "squashfs": 4000, "cramfs": 4000}.get(name, len(one) - 100)
    changed[spare] ^= 0xFF
    # What a uImage wraps is a file of its own.
    start = {"uimage": 64, "squashfs": int.from_bytes(one[40:48], "little")}.get(name, 0)
    part = "data after the squashfs image, " if name == "squashfs" else ""
    assert [place[:3] for place in look(one, bytes(changed))] == [("content", "", f"{part}byte {spare - start:#x}")]


def make_squashfs(number, compress=zlib.compress, compressor=1, circle=False):
    """Write an image with a folder that has a file, whose end is in a fragment, and a link (the format's sections 2 to 6)."""

    def table(data, packed=True):
        stored = compress(data) if packed else data
        return struct.pack("<H", len(stored) | (0 if packed else 0x8000)) + stored

    block, rest = compress(b"a" * 4096), b"end %d\n" % number
    body = block + rest
    file = struct.pack(
        "<HHHHIIIIII", 2, 0o600 + number, 0, 0, 1000 + number, 2, 96, 0, 0, 4096 + len(rest)
    ) + struct.pack("<I", len(block))
    link = struct.pack("<HHHHIIII", 3, 0o777, 0, 0, 5, 3, 1, 4) + b"to/%d" % number
    reference = len(file) + len(link)
    names = struct.pack("<III", 1, 0, 2)
    names += (
        struct.pack("<HhHH", reference if circle else 0, 0, 2, 3)
        + b"file"
        + struct.pack("<HhHH", len(file), 1, 3, 3)
        + b"link"
    )
    root = struct.pack("<HHHHIIIIHHI", 1, 0o755, number - 1, 0, 7, 1, 0, 2, len(names) + 3, 0, 4)
    tables = {"inode": 96 + len(body)}
    out = body + table(file + link + root)
    tables["directory"] = 96 + len(out)
    out += table(names)
    fragments = 96 + len(out)
    out += table(struct.pack("<QII", 96 + len(block), len(rest) | 1 << 24, 0), packed=False)
    tables["fragment"] = 96 + len(out)
    out += struct.pack("<Q", fragments)
    ids = 96 + len(out)
    out += table(struct.pack("<II", 0, 1000))
    tables["id"] = 96 + len(out)
    out += struct.pack("<Q", ids)
    head = struct.pack("<4sIIIIHHHHHHQQ", b"hsqs", 3, 9, 4096, 1, compressor, 12, 0, 2, 4, 0, reference, 96 + len(out))
    head += struct.pack(
        "<QQQQQQ", tables["id"], 2**64 - 1, tables["inode"], tables["directory"], tables["fragment"], 2**64 - 1
    )
    return (head + out).ljust(8192, b"\0")


@pytest.mark.parametrize(("compress", "compressor"), [(zlib.compress, 1), (lzma.compress, 4)])
def test_files_in_a_squashfs_image_are_told_one_by_one(look, compress, compressor):
    one, other = (make_squashfs(number, compress, compressor) for number in (1, 2))
    assert look(one, other) == [
        ("owner", ".", "squashfs file uid", ""),
        ("mtime", "file", "squashfs file mtime", ""),
        ("mode", "file", "squashfs file mode", ""),
        ("content", "file", "line 1", ""),
        ("header", "link", "squashfs link target", ""),
    ]


def test_a_squashfs_image_in_another_compression_is_told_by_its_superblock_and_bytes(look):
    one, other = (make_squashfs(number, compressor=5) for number in (1, 2))
    places = look(one, other)
    assert places and all(place[2].startswith("byte 0x") for place in places)


def test_a_squashfs_image_whose_folder_holds_itself_is_compared_by_bytes(tmp_path):
    for name, number in (("one", 1), ("other", 2)):
        (tmp_path / name).write_bytes(make_squashfs(number, circle=True))
    found = walk(tmp_path / "one", tmp_path / "other", "image")
    assert found.leaves[0].note == "not examined: ValueError: folders in folders without an end"


@pytest.mark.parametrize("name", [*EXPECTED, "ext4"])
@pytest.mark.parametrize("size", [100, 600, 1100, 2100, 40_000])
def test_a_truncated_image_is_a_difference_and_no_error(look, tmp_path, name, size):
    one, _ = images(name)
    for data in (one[:size], one[:size] + b"\xff" * 2048):
        if data != one:
            for file, content in (("one", one), ("other", data)):
                (tmp_path / file).write_bytes(content)
            assert walk(tmp_path / "one", tmp_path / "other", "image").leaves


@pytest.mark.parametrize("layout", [*LAYOUTS, EXT, FAT, FAT32, ISO_9660], ids=lambda layout: layout.name)
def test_the_fields_of_a_layout_do_not_overlap_each_other_or_its_magic(layout):
    ranges = sorted([(field.offset, field.offset + field.size) for field in layout.fields])
    ranges.append((layout.magic[0], layout.magic[0] + len(layout.magic[1])))
    ranges.sort()
    assert all(one[1] <= other[0] for one, other in pairwise(ranges))
    assert layout.source
    sizes = {Kind.TIME: {4, 8}, Kind.UUID: {16}, Kind.DIGITS: {17}}
    assert all(field.size in sizes.get(field.kind, {field.size}) for field in layout.fields)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_field_of_a_layout_is_found_where_it_is(look, layout):
    start, magic = layout.magic
    ends = [layout.content, start + len(magic), *(field.offset + field.size for field in layout.fields)]
    plain = bytearray(max(ends) + 200)
    plain[start : start + len(magic)] = magic
    for field in layout.fields:
        changed = bytearray(plain)
        changed[field.offset] ^= 1
        ((_, member, location, _),) = look(bytes(plain), bytes(changed))
        assert (member, location) == ("", f"{layout.name} {field.name}")


def font(created: int, modified: int, adjustment: int = 7, glyphs: bytes = b"glyphs") -> bytes:
    """Return a font of two tables, after https://learn.microsoft.com/en-us/typography/opentype/spec/head."""
    head = struct.pack(">IIIIHHqq18x", 0x10000, 0x10000, adjustment, 0x5F0F3CF5, 0, 1000, created, modified)
    tables = {b"glyf": glyphs.ljust(8, b"\0"), b"head": head}
    data, offset = struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0), 12 + 16 * len(tables)
    for tag, table in tables.items():
        data += struct.pack(">4sIII", tag, adjustment, offset, len(table))
        offset += len(table)
    return data + b"".join(tables.values())


def test_a_table_of_scripts_in_a_font_is_no_font_in_it(look):
    scripts = struct.pack(">IHHHH4sH", 0x10000, 10, 30, 44, 2, b"DFLT", 14) + b"cyrl" + b"\0\1" * 20
    tables = struct.pack(">IHHHH4sIII", 0x10000, 1, 0, 0, 0, b"GPOS", 0, 28, len(scripts) + 4)
    assert [found[2] for found in look(tables + scripts + b"1111", tables + scripts + b"2222")] == [
        "SFNT table GPOS, byte 0x3e"
    ]


def test_the_times_of_a_font_are_seconds_since_1970(look, tmp_path):
    one, other = font(2_082_844_800 + 10, 2_082_844_800 + 20), font(2_082_844_800 + 30, 2_082_844_800 + 20, 8)
    assert look(one, other) == [
        ("mtime", "", "SFNT table head created", ""),
        ("header", "", "SFNT table head checkSumAdjustment", FOLLOWS),
    ]
    leaf = walk(tmp_path / "one", tmp_path / "other", "a.ttf").leaves[0]
    assert (leaf.control, leaf.experiment) == (b"10", b"30")
    assert look(font(1, 2), font(1, 2, glyphs=b"others")) == [("content", "", "SFNT table glyf, line 1", "")] or look(
        font(1, 2), font(1, 2, glyphs=b"others")
    ) == [("content", "", "SFNT table glyf, string 1, byte 0x0", "")]


def wasm(*sections: tuple[int, bytes]) -> bytes:
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind, len(data)]) + data for kind, data in sections)


def custom(name: bytes, data: bytes) -> tuple[int, bytes]:
    return 0, bytes([len(name)]) + name + data


def test_a_wasm_module_is_compared_section_by_section(look):
    one = wasm((1, b"\1\x60\0\0"), custom(b".debug_str", b"/one\0int\0"), custom(b".debug_info", b"\0\1\2\3"))
    other = wasm((1, b"\1\x60\0\0"), custom(b".debug_str", b"/other\0int\0"), custom(b".debug_info", b"\0\1\2\5"))
    assert look(one, other) == [
        ("content", "", "wasm section .debug_str, string 1", ""),
        ("content", "", "wasm section .debug_info, byte 0x3", FOLLOWS),
    ]
    other = wasm((1, b"\1\x60\0\0"), custom(b"producers", b"\0\1"))
    assert {place[2] for place in look(one, other)} == {"wasm section only in the control build",
                                                        "wasm section only in the experiment build"}  # fmt: skip


def program(stamp: int, debug: int, guid: bytes, checksum: int = 1, code: bytes = b"code") -> bytes:
    """Return a library with one section, after https://learn.microsoft.com/en-us/windows/win32/debug/pe-format."""
    start, raw = 64, 0x200
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", start)
    directories = [(0, 0)] * 16
    directories[6] = (0x1000, 28)
    optional = struct.pack("<H62xI44x", 0x20B, checksum) + b"".join(struct.pack("<II", *each) for each in directories)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, stamp, 0, 0, len(optional), 0x2022)
    section = struct.pack("<8sIIIIIIHHI", b".rdata", 0x200, 0x1000, 0x200, raw, 0, 0, 0, 0, 0x40000040)
    entry = struct.pack("<IIHHIIII", 0, debug, 0, 0, 2, 24, 0x1040, raw + 0x40)
    body = (entry.ljust(0x40, b"\0") + b"RSDS" + guid + struct.pack("<I", 1) + code).ljust(0x200, b"\0")
    return (dos + coff + optional + section).ljust(raw, b"\0") + body


def test_the_stamps_of_a_linker_are_told_by_their_names(look):
    found = look(program(1, 2, bytes(16)), program(3, 4, bytes(range(16)), 9))
    assert found == [
        ("mtime", "", "PE header TimeDateStamp", ""),
        ("mtime", "", "PE debug directory TimeDateStamp", ""),
        ("header", "", "PE debug directory GUID", ""),
        ("header", "", "PE header CheckSum", FOLLOWS),
    ]
    ((_, _, location, _),) = look(program(1, 2, bytes(16)), program(1, 2, bytes(16), code=b"edoc"))
    assert location == "PE section .rdata, string 2, byte 0x58"


@pytest.mark.skipif(sys.platform == "darwin", reason="files without holes")
def test_a_large_sparse_image_is_compared_in_seconds(tmp_path):
    one, _ = images("swap")
    for name, last in (("one", b"1"), ("other", b"2")):
        with open(tmp_path / name, "wb") as file:
            file.write(one)
            file.seek(1 << 27)
            file.write(last)
    (place,) = walk(tmp_path / "one", tmp_path / "other", "image").leaves
    assert place.location == f"byte {1 << 27:#x}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([*EXPECTED, "ext4", "font", "wasm", "program"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
)
def test_whatever_the_bytes_are_there_is_an_end_and_a_place(tmp_path, name, edits):
    made = {
        "font": font(1, 2),
        "wasm": wasm((1, b"\1\x60\0\0"), custom(b".debug_str", b"/one\0int\0")),
        "program": program(1, 2, bytes(16)),
    }
    plain = made.get(name) or images(name)[0]
    changed = bytearray(plain)
    used = [match.start() for match in re.finditer(rb"[^\0]", plain)]
    for where, data in edits:
        start = used[int(where * len(used))]
        changed[start : start + len(data)] = data
    (tmp_path / "one").write_bytes(plain)
    (tmp_path / "other").write_bytes(changed)
    found = walk(tmp_path / "one", tmp_path / "other", "image", Limits(seconds=20))
    assert bool(found.leaves) == (plain != bytes(changed))
    assert all(leaf.location.isprintable() and leaf.member.isprintable() for leaf in found.leaves)
