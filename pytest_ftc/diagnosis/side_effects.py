"""Whether a remedy changes more of an output than what differs, for example by turning off optimisation."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from pytest_ftc.comparison.likeness import mask_digests
from pytest_ftc.diagnosis.places import Key, Places, is_string, match_places, may_move
from pytest_ftc.diagnosis.trials.elf_sections import differ_in_addresses, sections_of
from pytest_ftc.diagnosis.trials.moved_strings import is_merged
from pytest_ftc.model import BuildResult, Field, Output, OutputType, Place
from pytest_ftc.model.place import ELF_SECTION, KEYED
from pytest_ftc.model.support.contents import find_content

_FOLLOWING = tuple(f"{ELF_SECTION} {name}" for name in (".debug_", ".rel", ".symtab", ".strtab", ".gnu.lto_"))
"""Sections of strings and references to them, which change with any path, and those of the link-time optimizer."""
_SECTION_NAME = re.compile(rf"{ELF_SECTION} (\S+), ")
_ALIGNED = re.compile(r"(?<=\.str[124])\.\d+$")
"""The alignment in the name of a section of strings."""
_METADATA = frozenset({Field.HEADER, Field.MODE, Field.MTIME, Field.ORDER, Field.OWNER})
_OF_MEMBERS = frozenset({Field.MODE, Field.OWNER})
"""Metadata that is a member's own: that of a private key may not change with that of its neighbours."""
_OF_RECORDS = (" record mode", " record owner")
"""Ends of the locations of metadata of an archive's own records, which belong to no file."""
_NO_MODE = ("zip entry mode", b"0000")
"""The mode of a zip entry that stores none, as those of jar(1): it restricts nothing, whatever is set instead."""
_SORTED_TOO = frozenset({"zip entry order", "tar member order", "cpio entry order"})
"""What tools may sort that take SOURCE_DATE_EPOCH, as vsce does: of these archives each member is found by its name."""
_MOST_LISTED = 16
"""Places of a member that are listed at most: where there are so many, others may differ too."""
_MANY = 64
"""Members of an output whose mode or owner differs: where there are so many, not all of them may be known."""
_LONGEST_VALUE = 16 << 10
"""Bytes; longer values may have been cut."""
_MOST_CODE, _MOST_SIZE, _SMALL = 1.02, 1.5, 1024
"""Factors by which code and outputs may grow or shrink; changes of output size up to so many bytes are ignored."""


def changed_outputs(
    known: Mapping[Key, Place],
    control: BuildResult,
    healed: BuildResult,
    places: Places,
    rewritten: Collection[str] = (),
    *,
    lays_out: bool = False,
) -> Mapping[str, str]:
    """Return the outputs that a remedy changes beyond the places `known` to differ, with the change in each.

    `places` are the differences between the control and `healed`, the control with the remedy.  The members of outputs
    that it has `rewritten` may have another order: to sort them is the purpose.  If it `lays_out` programs anew, their
    sizes tell.
    """
    found: dict[str, str] = {}
    matched = match_places(known, places)
    members = {(key.output, key.member) for key in known if key.field not in _METADATA}
    counts = Counter((key.output, key.field) for key in known)
    has_moved = cache(partial(_has_moved_addresses, control, healed))
    for key, place in matched.items():
        is_sorted = key.field is Field.ORDER and (key.output in rewritten or key.location in _SORTED_TOO)
        is_expected = is_sorted or _is_the_same_section(place) or (key.location, place.control) == _NO_MODE
        is_expected = is_expected or _is_due_to_strings(key, place, known, control)
        is_expected = is_expected or (lays_out and key.location.startswith(ELF_SECTION))
        if key not in known and not is_expected and _is_new(key, members, counts) and not has_moved(_section_of(key)):
            found.setdefault(key.output, f"{key.member} {key.location}".strip())
    for name, line in _lost_lines(known, matched):
        found.setdefault(name, f"a line: {line}")
    after = {output.path: output for output in healed.outputs}
    named = {key.output for key in known if key.field is Field.NAME and not key.member}
    # Of a folder whose files are elsewhere, these tell.
    folders = {one.path.rpartition("/")[0] for one in control.outputs if one.type is not OutputType.DIR}
    for output in control.outputs:
        if output.path in after:
            if what := _resized(output, after[output.path], control, healed):
                found.setdefault(output.path, what)
        elif output.path not in named and output.path not in folders:
            found.setdefault(output.path, "it is gone")
    return found


def _is_due_to_strings(key: Key, place: Place, known: Mapping[Key, Place], control: BuildResult) -> bool:
    """Return whether a place changes because strings do that are known to differ, or have the build path in them.

    Tables beside strings that have moved are of offsets.  Where many strings differ, not all of them are known.
    """
    path = control.environment.get("build_path", "").encode("utf-8", "surrogateescape")
    has_path = is_string(key) and bool(path) and path in place.control
    return has_path or may_move(key, known) or is_merged(key, place, known)


def _section_of(key: Key) -> tuple[str, str]:
    """Return the output of a place, and the name of its section if that is in a program which is itself an output."""
    section = _SECTION_NAME.match(key.location)
    return key.output, section[1] if section and not key.member else ""


def _has_moved_addresses(control: BuildResult, healed: BuildResult, place: tuple[str, str]) -> bool:
    """Return whether only addresses differ in a section of a program, which `place` names."""
    output, section = place
    files = [
        find_content(build.blobs, one.sha256)
        for build in (control, healed)
        for one in build.outputs
        if one.path == output and one.sha256
    ]
    return bool(section) and len(files) == 2 and differ_in_addresses(files[0], files[1], section)


def _is_new(key: Key, members: set[tuple[str, str]], counts: Mapping[tuple[str, Field], int]) -> bool:
    """Return whether a place that is not known to differ is one that must not: it does not follow from known ones."""
    if key.location.startswith(_FOLLOWING):
        return False
    if key.field in _OF_MEMBERS and key.location.endswith(_OF_RECORDS):
        return False
    if key.field in _OF_MEMBERS:
        return counts[key.output, key.field] < _MANY
    if key.field is Field.ORDER:
        return not counts[key.output, key.field] and (key.output, key.member) not in members
    if key.field in _METADATA:
        return False
    return key.location.startswith(ELF_SECTION) or key.field is Field.NAME or (key.output, key.member) not in members


def _is_the_same_section(place: Place) -> bool:
    """Return whether a name only has another digest, or alignment of strings, in it.

    Compilers number their units by a digest of their options, and align strings by their length (``.rodata.str1.8``).
    """
    one, other = (mask_digests(name.decode("utf-8", "replace")) for name in (place.control, place.experiment))
    aligned = {_ALIGNED.sub("", name) for name in (one, other)}
    return place.field is Field.NAME and (("*" in one and one == other) or (len(aligned) == 1 and one != other))


def _lost_lines(known: Mapping[Key, Place], places: Places) -> Iterator[tuple[str, str]]:
    """Yield lines of texts that never differed, and that the remedy removes, each with its output.

    A line that is moved is still there, as in a list of another order.
    """
    gone: dict[tuple[str, str], Counter[bytes]] = defaultdict(Counter)
    unknown = set()
    for key, place in places.items():
        if _is_text(key):
            member = key.output, key.member
            gone[member].update(place.control.splitlines())
            gone[member].subtract(place.experiment.splitlines())
            if max(len(place.control), len(place.experiment)) >= _LONGEST_VALUE:
                unknown.add(member)
    differing: dict[tuple[str, str], Counter[bytes]] = defaultdict(Counter)
    listed = Counter((key.output, key.member) for key in known)
    for key, place in known.items():
        if _is_text(key):
            differing[key.output, key.member].update(place.control.splitlines())
    for member, lines in gone.items():
        if member in differing and member not in unknown and listed[member] < _MOST_LISTED:
            lost = +(lines - differing[member])
            if lost:
                yield member[0], next(iter(lost)).decode("utf-8", "replace")[:80]


def _is_text(key: Key) -> bool:
    return key.field is Field.CONTENT and key.location.startswith(("line ", *KEYED))


def _resized(one: Output, other: Output, control: BuildResult, healed: BuildResult) -> str:
    if one.type is not OutputType.FILE or other.type is not OutputType.FILE or one.sha256 == other.sha256:
        return ""
    if abs(one.size - other.size) > _SMALL and not _is_about(one.size, other.size, _MOST_SIZE):
        return f"its size: {one.size} and {other.size} bytes"
    before, after = (
        _code_size(find_content(control.blobs, one.sha256)),
        _code_size(find_content(healed.blobs, other.sha256)),
    )
    return "" if _is_about(before, after, _MOST_CODE) else f"its code: {before} and {after} bytes"


def _is_about(one: int, other: int, most: float) -> bool:
    return max(one, other) <= most * min(one, other)


def _code_size(path: Path) -> int:
    """Return the size of the executable sections of a program, in bytes; of any other file 0."""
    return sum(section.size for section in sections_of(path).values() if section.is_code)
