"""Whether a remedy changes more of an output than what differs: one that turns off optimisation heals nothing."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from pathlib import Path

from pytest_ftc.diagnosis.places import Key, Places, match_places
from pytest_ftc.model import BuildResult, Field, Output, OutputType
from pytest_ftc.model.place import ELF_SECTION

_FOLLOWING = tuple(f"{ELF_SECTION} {name}" for name in (".debug_", ".rel", ".symtab", ".strtab"))
"""Sections of strings and of what points to them, which change with any path."""
_METADATA = frozenset({Field.HEADER, Field.MODE, Field.MTIME, Field.ORDER, Field.OWNER})
_MOST_CODE, _MOST_SIZE, _SMALL = 1.02, 1.5, 1024
"""By what factor code and a whole output may grow or shrink; outputs that change by so few bytes are not judged."""
_EXECUTABLE = 0x4


def changed_outputs(
    known: Collection[Key], control: BuildResult, healed: BuildResult, places: Places
) -> Mapping[str, str]:
    """Return the outputs that a remedy changes beyond the places `known` to differ, and what it changes in each.

    `places` are those in which the control and the control with the remedy, `healed`, differ.
    """
    told: dict[str, str] = {}
    members = {(key.output, key.member) for key in known}
    for key in match_places(known, places):
        is_section = key.location.startswith(ELF_SECTION)
        new = key not in known and (is_section or (key.output, key.member) not in members or key.field is Field.NAME)
        if new and key.field not in _METADATA and not key.location.startswith(_FOLLOWING):
            told.setdefault(key.output, f"{key.member} {key.location}".strip())
    after = {output.path: output for output in healed.outputs}
    for output in control.outputs:
        if output.path in after and (what := _resized(output, after[output.path], control, healed)):
            told.setdefault(output.path, what)
    return told


def _resized(one: Output, other: Output, control: BuildResult, healed: BuildResult) -> str:
    if one.type is not OutputType.FILE or other.type is not OutputType.FILE or one.sha256 == other.sha256:
        return ""
    if abs(one.size - other.size) > _SMALL and not _is_about(one.size, other.size, _MOST_SIZE):
        return f"its size: {one.size} and {other.size} bytes"
    before, after = _code_size(Path(control.blobs, one.sha256)), _code_size(Path(healed.blobs, other.sha256))
    return "" if _is_about(before, after, _MOST_CODE) else f"its code: {before} and {after} bytes"


def _is_about(one: int, other: int, most: float) -> bool:
    return max(one, other) <= most * min(one, other)


def _code_size(path: Path) -> int:
    """Return how many bytes of instructions a 64-bit little-endian ELF file has (elf(5)); 0 for all others."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if len(head) < 64 or not head.startswith(b"\x7fELF\x02\x01"):
                return 0
            (offset,) = struct.unpack_from("<Q", head, 40)
            size, count = struct.unpack_from("<HH", head, 58)
            file.seek(offset)
            table = file.read(size * count)
    except OSError:
        return 0
    starts = range(0, len(table) - 63, size) if size >= 64 else ()
    sections = (struct.unpack_from("<IIQQQQ", table, start) for start in starts)
    return sum(length for _, _, flags, _, _, length in sections if flags & _EXECUTABLE)
