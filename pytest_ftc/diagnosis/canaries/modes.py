"""Permission bits: the same request, without the bits that each build's umask clears.

Or those of a source file, as another umask left them.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.values import overlaps
from pytest_ftc.model import Cause, Strength, Suspicion

_LISTED = re.compile(rb"(?<![A-Za-z-])[-dlbcps]?(?:[r-][w-][xsS-]){2}[r-][w-][xtT-](?![A-Za-z-])")
_OCTAL = re.compile(rb"(?<![0-9A-Za-z])(?:0o?|10|04)?([0-7]{3,4})(?![0-9A-Za-z])")
_DECIMAL = re.compile(rb"(?<![0-9A-Za-z.])[0-9]{5,10}(?![0-9A-Za-z.])")
_SYMBOLIC = re.compile(rb"u=([rwx]*),g=([rwx]*),o=([rwx]*)")
_WHY = "the modes differ as the builds' umasks do"

_WHY_BITS = "the bits that differ are among those that its masks tell apart"
_WHY_SOURCE = "the modes differ as those of the source files do"

_USUAL = 0o022
"""The mask of a checkout where none is varied."""

Mode = tuple[int, int, int]
"""Permission bits and their position."""


def fits_umask(one: int, other: int, mask: int, their_mask: int) -> bool:
    """Return whether `one` and `other` are the same mode under `mask` and `their_mask`: umask(2)."""
    possible = not one & mask and not other & their_mask
    return possible and one != other and not (one ^ other) & ~(mask ^ their_mask)


def fits_source(one: int, other: int, own: Planted, theirs: Planted) -> bool:
    """Return whether `one` and `other` are the modes of one source file in the two builds."""
    if own.source_umask is None and theirs.source_umask is not None:
        return other in _changed(one, theirs.source_umask)
    if theirs.source_umask is None and own.source_umask is not None:
        return one in _changed(other, own.source_umask)
    return False


def _changed(mode: int, mask: int) -> set[int]:
    """Return what the mode under `mask` of a file or folder with `mode` in the project may be: see `source_mode`.

    ``make dist`` of automake lets everybody read what it packs.
    """
    own, everybody = mode & 0o700, (mode >> 6 & 7) * 0o011
    # Only what its owner may execute, or enter, may be a folder.
    masks = (mask, 0o002) if mode & 0o100 else (mask,)
    found = {
        next((changed for one in (first, 0o022, 0o077) if (changed := own | everybody & ~one) != mode), mode)
        for first in masks
    }
    return found | ({changed | 0o444 for changed in found} - {mode} if mode & 0o444 == 0o444 else set())


def find_mode(control: bytes, experiment: bytes, own: Planted, theirs: Planted) -> Iterator[Sighting]:
    """Yield the umask, of the build or of the sources, if it explains two octal modes."""
    try:
        one, other = int(control, 8), int(experiment, 8)
    except ValueError:
        return
    if one >> 9 != other >> 9:
        return
    causes: list[tuple[Cause, Strength, str]] = []
    if fits_source(one & 0o777, other & 0o777, own, theirs):
        causes += _source_or_umask(one & 0o777, other & 0o777, own, theirs)
    if fits_umask(one & 0o777, other & 0o777, own.umask, theirs.umask):
        causes = [*(each for each in causes if each[0] != Cause.UMASK), (Cause.UMASK, Strength.STRONG, _WHY)]
    for cause, strength, why in causes or _guess_by_bits(one, other, own, theirs):
        yield Sighting(Suspicion(cause, strength, shown(control), shown(experiment), why), frozenset({0}))


def _source_or_umask(one: int, other: int, own: Planted, theirs: Planted) -> Iterator[tuple[Cause, Strength, str]]:
    """Yield the modes of the sources, which fit, and the umask too where a build that gives others more may have it."""
    is_both = _may_be_cleared(one, other, own.umask, theirs.umask)
    yield Cause.SOURCE_MODE, Strength.WEAK if is_both else Strength.STRONG, _WHY_SOURCE
    if is_both:
        yield Cause.UMASK, Strength.WEAK, _WHY_BITS


def _guess_by_bits(one: int, other: int, own: Planted, theirs: Planted) -> Iterator[tuple[Cause, Strength, str]]:
    """Yield the umask of the build, or of the sources, if only that one tells apart the bits in which modes differ.

    What a build gives to everybody, as ``make dist`` of automake does, hides others of them.
    """
    masks = {Cause.UMASK: (own.umask, theirs.umask)}
    if own.source_umask != theirs.source_umask:
        first, second = (_USUAL if mask is None else mask for mask in (own.source_umask, theirs.source_umask))
        masks[Cause.SOURCE_MODE] = first, second
    fitting = [cause for cause, pair in masks.items() if one != other and not (one ^ other) & ~(pair[0] ^ pair[1])]
    if fitting == [Cause.UMASK] and not _may_be_cleared(one, other, own.umask, theirs.umask):
        return
    if len(fitting) == 1:
        yield fitting[0], Strength.WEAK, _WHY_BITS


def _may_be_cleared(one: int, other: int, mask: int, their_mask: int) -> bool:
    """Return whether each bit in which modes differ was cleared by the one umask, and not by the other."""
    return one != other and not one & ~other & ~(their_mask & ~mask) and not other & ~one & ~(mask & ~their_mask)


def find_modes(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield modes in text, stored modes, and the umask itself, where they differ in `place`."""
    if (control.umask, control.source_umask) == (experiment.umask, experiment.source_umask):
        return
    modes, their_modes = list(_written(place.control)), list(_written(place.experiment))
    for number, change in enumerate(place.changes):
        own = [mode for mode in modes if overlaps(mode[1:], change.start, change.end)]
        theirs = [mode for mode in their_modes if overlaps(mode[1:], change.theirs, change.their_end)]
        for one, other in zip(own, theirs, strict=False):
            texts = place.control[one[1] : one[2]], place.experiment[other[1] : other[2]]
            found = _judge(one[0], other[0], texts, control, experiment)
            if found:
                yield Sighting(found, frozenset({number}))
    if b"\0" in place.control or b"\0" in place.experiment:
        yield from _find_stored(place, control, experiment)


def _written(text: bytes) -> Iterator[Mode]:
    for match in _LISTED.finditer(text):
        yield _read_letters(match[0][-9:]), *match.span()
    for match in _OCTAL.finditer(text):
        yield int(match[1], 8), *match.span()
    for match in _DECIMAL.finditer(text):
        number = int(match[0])
        mode = number if number < 1 << 16 else number >> 16 & 0xFFFF
        if _is_typed(mode):
            yield mode & 0o7777, *match.span()
    for match in _SYMBOLIC.finditer(text):
        # ``umask -S`` prints the permissions that remain.
        yield ~_read_letters(b"".join(_pad(part) for part in match.groups())) & 0o777, *match.span()


def _is_typed(mode: int) -> bool:
    """Return whether it is a mode of a file or folder, with its type, as stat(2) has it."""
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _pad(letters: bytes) -> bytes:
    return bytes(letter if letter in letters else ord("-") for letter in b"rwx")


def _read_letters(letters: bytes) -> int:
    return sum(1 << (8 - place) for place, letter in enumerate(letters) if letter in b"rwxst")


def _judge(one: int, other: int, texts: tuple[bytes, bytes], control: Planted, experiment: Planted) -> Suspicion | None:
    listed = any(letter in texts[0] for letter in b"rwx")
    if (one, other) == (control.umask, experiment.umask):
        strength = Strength.STRONG if listed or all(text.startswith(b"0") for text in texts) else Strength.WEAK
        return Suspicion(Cause.UMASK, strength, shown(texts[0]), shown(texts[1]), "it contains the umask")
    # A number such as a year is the mode of no file: its owner could not read it.
    if one >> 9 != other >> 9 or not one & other & 0o400:
        return None
    strength = Strength.STRONG if listed or len(texts[0]) > 3 else Strength.WEAK
    if fits_umask(one & 0o777, other & 0o777, control.umask, experiment.umask):
        return Suspicion(Cause.UMASK, strength, shown(texts[0]), shown(texts[1]), _WHY)
    if fits_source(one & 0o777, other & 0o777, control, experiment):
        if _may_be_cleared(one & 0o777, other & 0o777, control.umask, experiment.umask):
            strength = Strength.WEAK
        return Suspicion(Cause.SOURCE_MODE, strength, shown(texts[0]), shown(texts[1]), _WHY_SOURCE)
    return None


def _find_stored(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield 16-bit modes with a file type: inode(7)."""
    for number, change in enumerate(place.changes):
        if not 1 <= change.end - change.start == change.their_end - change.theirs <= 2:
            continue
        for position in range(max(0, change.start - 1), change.end):
            theirs = change.theirs + position - change.start
            one, other = place.control[position : position + 2], place.experiment[max(0, theirs) : theirs + 2]
            for order in ("little", "big"):
                modes = [int.from_bytes(value, "little" if order == "little" else "big") for value in (one, other)]
                if _are_stored_modes(modes[0], modes[1], control.umask, experiment.umask):
                    texts = (f"{modes[0]:06o}", f"{modes[1]:06o}")
                    yield Sighting(Suspicion(Cause.UMASK, Strength.WEAK, *texts, _WHY), frozenset({number}))


def _are_stored_modes(one: int, other: int, mask: int, their_mask: int) -> bool:
    return (
        stat.S_IFMT(one) == stat.S_IFMT(other)
        and _is_typed(one)
        and one & 0o400 != 0
        and one >> 9 & 7 == other >> 9 & 7
        and fits_umask(one & 0o777, other & 0o777, mask, their_mask)
    )
