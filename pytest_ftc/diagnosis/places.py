"""The places in which two builds differ, and the display of their values."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pytest_ftc.comparison.likeness import mask_digests, mask_long_words
from pytest_ftc.comparison.members.span import common_start
from pytest_ftc.diagnosis.counted import Block, block_of, is_counted
from pytest_ftc.model import Difference, DifferenceKind, Evidence, Field, Output, Place
from pytest_ftc.model.place import ELF_SECTION, OUTPUT_NAME

_MOST_SHOWN = 400
_BYTES_BEFORE = 4
_OFFSET = re.compile(r"(?:\b(string [0-9]+), )?\bbyte 0x([0-9a-f]+)")
_PART = re.compile(r", column [0-9]+ (\(part [0-9]+\))$")
_NEAR, _AT_ONE = 32, 4
"""Bytes."""
_NUMBER = re.compile("[0-9]+")
_BY_PATH = ("key ", "element ", "attribute ")
_SECTION = f"{ELF_SECTION} "
_NOT_LOADED = re.compile(rf"{_SECTION}\.(?:z?debug|gnu_debug|gnu\.debug|gnu\.lto|stab|comment|line|symtab|strtab|rel)")
"""Sections for debuggers and linkers."""
_STEADY = (Field.MTIME, Field.MODE, Field.OWNER)


class Key(NamedTuple):
    """Identifies a place across builds."""

    output: str
    member: str
    location: str
    field: Field


Places = Mapping[Key, Place]


def places_of(output: str, leaves: Sequence[Place]) -> Mapping[Key, Place]:
    """Return the places in one output; members that only one build has form one place, as names may be random."""
    places: dict[Key, Place] = {}
    for leaf in leaves:
        lone = not leaf.control or not leaf.experiment
        if leaf.field is Field.NAME and lone:
            key = Key(output, "", "members", leaf.field)
        else:
            key = Key(output, leaf.member, leaf.location, leaf.field)
        places.setdefault(key, leaf)
    return places


def match_places(known: Collection[Key], places: Places) -> Places:
    """Return `places` under matching keys of `known`, since differing bytes may begin at slightly other offsets.

    Strings and parts of lines are the same by their number, whatever of them differs.
    """
    parts = {_without_column(key): key for key in known if _PART.search(key.location)}
    strings: dict[tuple[Key, str], Key] = {}
    near: dict[tuple[Key, int], Key] = {}
    for key in known:
        place, string, offset = _split_offset(key)
        if string:
            strings.setdefault((place, string), key)
        elif offset is not None:
            for step in (0, 1, -1):
                near.setdefault((place, offset // _NEAR + step), key)
    matched: dict[Key, Place] = {}
    for key, leaf in places.items():
        twin = None if key in known else parts.get(_without_column(key)) or _find_twin(key, strings, near)
        matched.setdefault(twin or key, leaf)
    return matched


def _find_twin(key: Key, strings: Mapping[tuple[Key, str], Key], near: Mapping[tuple[Key, int], Key]) -> Key | None:
    place, string, offset = _split_offset(key)
    if offset is None:
        return None
    twin = strings.get((place, string)) if string else near.get((place, offset // _NEAR))
    if twin:
        return twin
    # What looks like a string in one build only, as a random number may, begins to differ at nearly the same byte.
    others = (
        [near.get((place, offset // _NEAR))] if string else [one for (at, _), one in strings.items() if at == place]
    )
    return next((one for one in others if one and abs(offset - (offset_of(one.location) or 0)) <= _AT_ONE), None)


def showing(known: Mapping[Key, Place], places: Places) -> frozenset[Key]:
    """Return the `known` places that are among the differing `places`.

    Places of one kind may shift: if none of the known ones in a member is found but others are, all of them count,
    except strings, which are told by their number.  Those in one section of a program do not shift to another.
    What an archive records about its members does not: other members have fields of their own.
    Lines and rows do not either, as they are counted in the control; one that is in a known block of them is known.
    A place in what has another name in each build counts under any of its names.
    """
    found = match_places(known, places)
    kinds = {_where(key) for key in known if key.field not in _STEADY}
    seen = {_where(key) for key in found if key in known}
    unknown = {key: place for key, place in found.items() if key not in known}
    shifted = ({_where(key) for key in unknown if not is_counted(key.location)} & kinds) - seen
    renamed = {_masked(key) for key in unknown}
    blocks = _blocks(unknown)
    return frozenset(
        key
        for key, place in known.items()
        if key in found
        or (_where(key) in shifted and not is_string(key) and not is_counted(key.location))
        or _masked(key) in renamed
        or ((own := block_of(key.location, place)) and any(map(own.overlaps, blocks.get(key[:2], ()))))
    )


def may_be_elsewhere(known: Mapping[Key, Place], places: Places) -> frozenset[Key]:
    """Return the `known` places that may be among unknown ones.

    Where neither of two builds is the control, lines and rows may be counted differently, and members may have other
    names.
    """
    unknown = {key: place for key, place in match_places(known, places).items() if key not in known}
    mine, theirs = _blocks(known), _blocks(unknown)
    strange = {
        (file, block.of)
        for file, blocks in theirs.items()
        for block in blocks
        if not any(map(block.overlaps, mine.get(file, ())))
    }
    members = {key[:2] for key in known}
    renamed = {(key.output, key.field) for key in unknown if key.member and key[:2] not in members}
    blocks = {key: block_of(key.location, place) for key, place in known.items()}
    return frozenset(
        key
        for key, block in blocks.items()
        if (block and (key[:2], block.of) in strange)
        or (key.member and key.field not in _STEADY and (key.output, key.field) in renamed)
    )


def _blocks(places: Places) -> Mapping[tuple[str, str], Sequence[Block]]:
    """Return the lines and rows of each file that are among `places`."""
    found: dict[tuple[str, str], list[Block]] = {}
    for key, place in places.items():
        if block := block_of(key.location, place):
            found.setdefault((key.output, key.member), []).append(block)
    return found


def _where(key: Key) -> Key:
    """Return the `key` of all that a place may shift to: the same section of a program, else the same member.

    A value that is known by its path is elsewhere only under other numbers.
    """
    section = holder_of(key) if key.location.startswith(_SECTION) else None
    named = _NUMBER.sub("#", key.location) if key.location.startswith(_BY_PATH) else ""
    return section or Key(key.output, key.member, named, key.field)


def find_shifted(key: Key, differing: Places, known: Collection[Key]) -> Place | None:
    """Return the first place among the `differing` ones that is none of the `known`, in the data that has `key`."""
    holder = holder_of(key)
    return next(
        (place for other, place in differing.items() if other not in known and holder_of(other) == holder), None
    )


def is_again(first: Place, now: Place | None) -> bool | None:
    """Return whether the value `now` is that of the `first` build that differed; None if unknown."""
    if now is None or first.control == first.experiment:
        return None
    # What begins to differ at another offset is another value.
    return (now.location, now.experiment) == (first.location, first.experiment)


def may_follow(key: Key, other: Key) -> bool:
    """Return whether a place may differ because another one does.

    Code and data do not for what debuggers read, nothing in a program, or in text, for the metadata of an archive's
    entry, and modes and owners for nothing else.
    """
    if key.field in (Field.MODE, Field.OWNER) and other.field is not key.field:
        return False
    is_loaded = key.location.startswith(_SECTION) and not _NOT_LOADED.match(key.location)
    is_inside = key.location.startswith("ELF ") or (key.field is Field.CONTENT and bool(key.member))
    is_of_entry = other.field in _STEADY and not other.location.startswith("PDF ")
    return not (is_loaded and _NOT_LOADED.match(other.location)) and not (is_inside and is_of_entry)


def follows_most_likely(key: Key, other: Key) -> bool:
    """Return whether `other` is of the same member, and read by debuggers if `key` is: such places refer to it."""
    both = bool(_NOT_LOADED.match(key.location)), bool(_NOT_LOADED.match(other.location))
    return key.member == other.member and both[0] == both[1]


def _masked(key: Key) -> Key:
    """Return `key` without digests and random words: two other builds may have others than the control."""
    return key._replace(member=mask_long_words(key.member), location=mask_digests(key.location))


def _without_column(key: Key) -> Key:
    """Return `key` without the column of a part of a line, which what is before it may move."""
    return key._replace(location=_PART.sub(r"\1", key.location))


def _split_offset(key: Key) -> tuple[Key, str, int | None]:
    """Return the `key` of what holds a place, the string that it is, and its offset, where it has them."""
    found = _OFFSET.search(key.location)
    if not found:
        return key, "", None
    return key._replace(location=key.location[: found.start()]), found[1] or "", int(found[2], 16)


def is_string(key: Key) -> bool:
    """Return whether a place is a string in data, of which the number tells it apart from others."""
    return bool(_split_offset(key)[1])


def is_code(key: Key) -> bool:
    """Return whether a place is in the code of a program."""
    return key.location.startswith(f"{_SECTION}.text")


def may_move(key: Key, known: Iterable[Key]) -> bool:
    """Return whether a place is told by its offset in data in which strings are `known` to differ, in length too."""
    holder, string, offset = _split_offset(key)
    if string or offset is None:
        return False
    return any(is_string(other) and _split_offset(other)[0] == holder for other in known)


def holder_of(key: Key) -> Key:
    """Return the `key` of what holds a place that has an offset; of any other place its own."""
    return _split_offset(key)[0]


def offset_of(location: str) -> int | None:
    """Return the offset of the first byte that differs, where the `location` has one."""
    found = _OFFSET.search(location)
    return int(found[2], 16) if found else None


def leaf_of_manifest(difference: Difference) -> Place:
    """Return the place of a difference between manifests: a name, type, link or mode."""
    fields = {DifferenceKind.MODE: Field.MODE, DifferenceKind.LINK: Field.CONTENT}
    one, other = (_manifest_value(difference.kind, side) for side in (difference.control, difference.experiment))
    return Place(
        field=fields.get(difference.kind, Field.NAME), location=difference.location, control=one, experiment=other
    )


def leaf_of_names(name: str, other: str) -> Place:
    """Return the place of an output whose names differ between the builds."""
    one, two = (text.encode("utf-8", "surrogateescape") for text in (name, other))
    return Place(field=Field.NAME, location=OUTPUT_NAME, control=one, experiment=two)


def _manifest_value(kind: DifferenceKind, output: Output | None) -> bytes:
    if output is None:
        return b""
    texts = {
        DifferenceKind.MODE: output.mode,
        DifferenceKind.LINK: output.target,
        DifferenceKind.TYPE: output.type.value,
    }
    return texts.get(kind, output.path).encode("utf-8", "surrogateescape")


def show_values(leaf: Place, control: str = "", experiment: str = "") -> Evidence:
    """Return both values of a place for display, or the given parts that identify the cause."""
    one, other = leaf.control, leaf.experiment
    if leaf.field is Field.MTIME:
        return Evidence(control=_show_time(one), experiment=_show_time(other))
    if control or experiment:
        return Evidence(control=control[:_MOST_SHOWN], experiment=experiment[:_MOST_SHOWN])
    place = common_start(one, other)
    start = _start_of_line(one, place)
    shown = _show(one[start:]), _show(other[start:])
    if None in shown:
        start = max(0, place - _BYTES_BEFORE)
        shown = _show_bytes(one[start:]), _show_bytes(other[start:])
    return Evidence(control=shown[0] or "", experiment=shown[1] or "")


def _start_of_line(data: bytes, place: int) -> int:
    """Return where to begin so that the difference is visible: at its line, or shortly before the byte."""
    line = data.rfind(b"\n", 0, place) + 1
    return line if place - line < _MOST_SHOWN // 2 else place - _MOST_SHOWN // 4


def _show_time(value: bytes) -> str:
    try:
        moment = time.gmtime(int(float(value)))
    except (ValueError, OverflowError, OSError):
        return _show(value) or _show_bytes(value)
    return time.strftime("%Y-%m-%d %H:%M:%S", moment)


def _show(value: bytes) -> str | None:
    """Return the first line as text; None if it is not text."""
    line = value[: _MOST_SHOWN * 4].split(b"\n", 1)[0] if b"\n" in value[1:] else value[: _MOST_SHOWN * 4]
    text = line.decode("utf-8", "surrogateescape")
    odd = sum(not character.isprintable() and character not in "\t\r\n" for character in text)
    return text[:_MOST_SHOWN] if odd * 5 <= len(text) else None


def _show_bytes(value: bytes) -> str:
    return value[:32].hex(" ")
