"""The table of fields at fixed offsets: what each format stores of times, owners and identifiers, and where.

Each layout names its source.  Only fields that commonly differ between builds are listed; the rest of a file is
compared by bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Kind(str, Enum):
    """How the bytes of a field are read."""

    TIME = "time"
    """Seconds since 1970; 0 for none."""
    DIGITS = "digits"
    """Sixteen digits from the year to hundredths of a second, and quarters of an hour from UTC (ECMA-119, 8.4.26.1)."""
    UUID = "uuid"
    TEXT = "text"
    """Padded with blanks or zeros."""
    NUMBER = "number"
    BYTES = "bytes"
    CHECKSUM = "checksum"
    """Of other parts of the file, from which it follows."""


@dataclass(frozen=True, slots=True)
class FixedField:
    """One field: its offset and size in bytes."""

    name: str
    offset: int
    size: int
    kind: Kind = Kind.BYTES
    covers: tuple[int, int | None] | None = None
    """Where what it is the CRC-32 of begins and ends, its own bytes being zero there; None if that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The fields of one format."""

    name: str
    magic: tuple[int, bytes]
    """The offset and the bytes by which a file is recognised."""
    order: Literal["little", "big"] = "little"
    fields: tuple[FixedField, ...]
    source: str
    content: int = 0
    """Where the file begins that is wrapped in this one, if nothing else follows the header."""


_Row = tuple[str, int, int, Kind] | tuple[str, int, int, Kind, tuple[int, int | None]]


def _at(start: int, *fields: _Row) -> tuple[FixedField, ...]:
    return tuple(FixedField(name, start + offset, size, kind, *rest) for name, offset, size, kind, *rest in fields)


ISO_9660 = Layout(
    name="ISO 9660 volume descriptor",
    magic=(0x8000, b"\1CD001"),
    fields=_at(
        0x8000,
        ("system identifier", 8, 32, Kind.TEXT),
        ("volume identifier", 40, 32, Kind.TEXT),
        ("volume set identifier", 190, 128, Kind.TEXT),
        ("publisher identifier", 318, 128, Kind.TEXT),
        ("data preparer identifier", 446, 128, Kind.TEXT),
        ("application identifier", 574, 128, Kind.TEXT),
        ("volume creation date", 813, 17, Kind.DIGITS),
        ("volume modification date", 830, 17, Kind.DIGITS),
        ("volume expiration date", 847, 17, Kind.DIGITS),
        ("volume effective date", 864, 17, Kind.DIGITS),
    ),
    source="https://ecma-international.org/publications-and-standards/standards/ecma-119/, 8.4",
)
FAT32 = Layout(
    name="FAT boot sector",
    magic=(82, b"FAT32"),
    fields=_at(0, ("volume ID", 67, 4, Kind.BYTES), ("volume label", 71, 11, Kind.TEXT)),
    source="https://en.wikipedia.org/wiki/Design_of_the_FAT_file_system#Extended_BIOS_Parameter_Block",
)
FAT = Layout(
    name="FAT boot sector",
    magic=(54, b"FAT1"),
    fields=_at(0, ("volume ID", 39, 4, Kind.BYTES), ("volume label", 43, 11, Kind.TEXT)),
    source="https://en.wikipedia.org/wiki/Design_of_the_FAT_file_system#Extended_BIOS_Parameter_Block",
)
EXT = Layout(
    name="ext superblock",
    magic=(1024 + 0x38, b"\x53\xef"),
    fields=_at(
        1024,
        ("s_mtime", 0x2C, 4, Kind.TIME),
        ("s_wtime", 0x30, 4, Kind.TIME),
        ("s_lastcheck", 0x40, 4, Kind.TIME),
        ("s_uuid", 0x68, 16, Kind.UUID),
        ("s_volume_name", 0x78, 16, Kind.TEXT),
        ("s_last_mounted", 0x88, 64, Kind.TEXT),
        ("s_hash_seed", 0xEC, 16, Kind.UUID),
        ("s_mkfs_time", 0x108, 4, Kind.TIME),
        ("s_kbytes_written", 0x178, 8, Kind.NUMBER),
        ("s_checksum_seed", 0x270, 4, Kind.CHECKSUM),
        ("s_checksum", 0x3FC, 4, Kind.CHECKSUM),
    ),
    source="https://docs.kernel.org/filesystems/ext4/super.html",
)
SQUASHFS = Layout(
    name="squashfs superblock",
    magic=(0, b"hsqs"),
    fields=_at(0, ("modification time", 8, 4, Kind.TIME)),
    source="https://dr-emann.github.io/squashfs/squashfs.html#_the_superblock",
)
LAYOUTS = (
    SQUASHFS,
    Layout(
        name="uImage header",
        magic=(0, b"\x27\x05\x19\x56"),
        order="big",
        fields=_at(
            0,
            ("ih_hcrc", 4, 4, Kind.CHECKSUM, (0, 64)),
            ("ih_time", 8, 4, Kind.TIME),
            ("ih_size", 12, 4, Kind.CHECKSUM),
            ("ih_load", 16, 4, Kind.NUMBER),
            ("ih_ep", 20, 4, Kind.NUMBER),
            ("ih_dcrc", 24, 4, Kind.CHECKSUM, (64, None)),
            ("ih_os, ih_arch, ih_type, ih_comp", 28, 4, Kind.BYTES),
            ("ih_name", 32, 32, Kind.TEXT),
        ),
        source="https://docs.u-boot.org/en/latest/usage/fit/legacy-image.html, include/image.h",
        content=64,
    ),
    Layout(
        name="EROFS superblock",
        magic=(1024, b"\xe2\xe1\xf5\xe0"),
        fields=_at(
            1024,
            ("checksum", 4, 4, Kind.CHECKSUM),
            ("build_time", 24, 8, Kind.TIME),
            ("build_time_nsec", 32, 4, Kind.NUMBER),
            ("uuid", 48, 16, Kind.UUID),
            ("volume_name", 64, 16, Kind.TEXT),
        ),
        source="https://docs.kernel.org/filesystems/erofs.html, fs/erofs/erofs_fs.h",
    ),
    Layout(
        name="cramfs superblock",
        magic=(16, b"Compressed ROMFS"),
        fields=_at(0, ("crc", 32, 4, Kind.CHECKSUM, (0, None)), ("name", 48, 16, Kind.TEXT)),
        source="https://docs.kernel.org/filesystems/cramfs.html, include/uapi/linux/cramfs_fs.h",
    ),
    Layout(
        name="XFS superblock",
        magic=(0, b"XFSB"),
        order="big",
        fields=_at(0, ("sb_uuid", 32, 16, Kind.UUID), ("sb_fname", 108, 12, Kind.TEXT)),
        source="https://mirrors.edge.kernel.org/pub/linux/utils/fs/xfs/docs/xfs_filesystem_structure.pdf, 13.1",
    ),
    Layout(
        name="btrfs superblock",
        magic=(0x10040, b"_BHRfS_M"),
        fields=_at(
            0x10000,
            ("csum", 0, 32, Kind.CHECKSUM),
            ("fsid", 0x20, 16, Kind.UUID),
            ("label", 0x12B, 256, Kind.TEXT),
        ),
        source="https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html#superblock",
    ),
    Layout(
        name="swap header",
        magic=(4086, b"SWAPSPACE2"),
        fields=_at(1024, ("UUID", 12, 16, Kind.UUID), ("label", 28, 16, Kind.TEXT)),
        source="include/linux/swap.h: union swap_header",
    ),
    Layout(
        name="LUKS header",
        magic=(0, b"LUKS\xba\xbe"),
        order="big",
        fields=_at(0, ("UUID", 168, 40, Kind.TEXT)),
        source="https://gitlab.com/cryptsetup/LUKS2-docs, 2.1",
    ),
    Layout(
        name="GPT header",
        magic=(512, b"EFI PART"),
        fields=_at(
            512,
            ("HeaderCRC32", 16, 4, Kind.CHECKSUM),
            ("DiskGUID", 56, 16, Kind.UUID),
            ("PartitionEntryArrayCRC32", 88, 4, Kind.CHECKSUM),
            *(
                (f"UniquePartitionGUID of entry {number + 1}", 512 + 128 * number + 16, 16, Kind.UUID)
                for number in range(16)
            ),
        ),
        source="https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html",
    ),
    Layout(
        name="UBI erase counter header",
        magic=(0, b"UBI#"),
        order="big",
        fields=_at(0, ("image_seq", 24, 4, Kind.BYTES), ("hdr_crc", 60, 4, Kind.CHECKSUM)),
        source="drivers/mtd/ubi/ubi-media.h: struct ubi_ec_hdr",
    ),
    Layout(
        name="VHD footer",
        magic=(0, b"conectix"),
        order="big",
        fields=_at(0, ("Checksum", 64, 4, Kind.CHECKSUM), ("Unique Id", 68, 16, Kind.UUID)),
        source="Microsoft, Virtual Hard Disk Image Format Specification: Hard Disk Footer Format",
    ),
    Layout(
        name="Android boot image header",
        magic=(0, b"ANDROID!"),
        fields=_at(0, ("name", 48, 16, Kind.TEXT), ("cmdline", 64, 512, Kind.TEXT), ("id", 576, 32, Kind.CHECKSUM)),
        source="https://source.android.com/docs/core/architecture/bootloader/boot-image-header",
    ),
)
