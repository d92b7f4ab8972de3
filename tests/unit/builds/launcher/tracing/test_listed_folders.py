"""Listings of folders in another order."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.launcher.tracing.listed_folders import in_order

NAMES = st.lists(st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name), unique=True, max_size=20)


def pack(names: list[bytes]) -> bytes:
    entries = []
    for number, name in enumerate(names):
        size = (19 + len(name) + 1 + 7) // 8 * 8
        head = struct.pack("=QqHB", hash(name) & 0xFFFF, 1000 + number, size, 8)
        entries.append((head + name).ljust(size, b"\0"))
    return b"".join(entries)


def unpack(listing: bytes) -> list[tuple[int, int, bytes]]:
    found = []
    while listing:
        inode, offset, size, _ = struct.unpack_from("=QqHB", listing)
        found.append((inode, offset, listing[19:size].partition(b"\0")[0]))
        listing = listing[size:]
    return found


@given(NAMES, st.booleans())
def test_entries_come_by_name_behind_the_folder_itself_and_offsets_stay(names, reverse):
    names = [b"..", *(name for name in names if name not in (b".", b"..")), b"."]
    before, after = unpack(pack(names)), unpack(in_order(pack(names), reverse=reverse))
    assert [offset for _, offset, _ in after] == [offset for _, offset, _ in before]
    assert {(inode, name) for inode, _, name in after} == {(inode, name) for inode, _, name in before}
    found = [name for *_, name in after]
    assert found == [b"..", b".", *sorted(set(names) - {b".", b".."}, reverse=reverse)]
