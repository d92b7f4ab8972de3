"""Who made a file system in an image that others wrote to later."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_ftc.diagnosis.culprits.commands import name_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.model import Place, Program

_OF_CREATION = re.compile(
    r"FAT boot sector|ISO 9660 (?:supplementary )?volume descriptor|(?:squashfs|EROFS|cramfs|XFS|btrfs) superblock"
    r"|ext superblock s_(?:uuid|hash_seed|mkfs_time|volume_name)|ext journal s_uuid|(?:swap|LUKS) header"
)
"""Fields that are set when a file system is made, and that files written to it later do not change."""
_LABEL = " (label)"
"""Ends the name of the entry for the label of a FAT file system."""
_CREATORS = frozenset(
    {"cryptsetup", "gensquashfs", "genisoimage", "mformat", "mkdosfs", "mke2fs", "mkisofs", "mkntfs", "mksquashfs"}
    | {"mkswap", "tar2sqfs", "xorriso", "xorrisofs"}
)
_CHANGERS = frozenset({"btrfstune", "dosfslabel", "e2label", "fatlabel", "mlabel", "swaplabel", "tune2fs", "xfs_admin"})
"""Programs that change such fields, depending on their options."""


def is_creator_of(program: Program, place: Place) -> bool:
    """Return whether `program` makes file systems, and `place` is a field that is set then."""
    name = name_of(program)
    return (name in _CREATORS or name.startswith("mkfs")) and _is_of_creation(place)


def find_creator(flow: Flow, writers: Sequence[int], place: Place) -> int | None:
    """Return which of `writers` made the file system that `place` is a field of; None if others may have changed it."""
    if not _is_of_creation(place) or any(name_of(flow.program(one)) in _CHANGERS for one in writers):
        return None
    return next((one for one in reversed(writers) if is_creator_of(flow.program(one), place)), None)


def _is_of_creation(place: Place) -> bool:
    is_label = place.member.endswith(_LABEL) and place.location.startswith("FAT entry ")
    return is_label or bool(_OF_CREATION.match(place.location))
