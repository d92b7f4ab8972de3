"""Numbers specific to each build: processors, processes, addresses, columns, hash seeds, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.values import overlaps
from pytest_ftc.model import Cause, Strength, Suspicion

_NUMBER = re.compile(rb"(?<![0-9A-Za-z_.])(?:(?<=[xX])|(?<![A-Za-z]))[0-9]{1,15}(?![0-9A-Za-z_])|(?<=-j)[0-9]{1,4}\b")
_ABOUT = 32
"""Bytes searched before and after a number for a word that says what it counts."""
_CPUS = re.compile(rb"(?i)cpu|nproc|\bjobs?\b|parallel|threads?|cores?|workers?|-j|processors?|concurren")
_PROCESS = re.compile(rb"(?i)\bpid\b|process|_pid|\$\$|\[$")
_TERMINAL = re.compile(rb"(?i)columns?|\bcols\b|width|lines|rows|terminal|tty")
_SIZES = re.compile(rb"(?i)size|blocks?|\bdu\b|disk|usage|total|inode|\bino\b|bytes")


@dataclass(frozen=True, slots=True)
class _Pair:
    one: int
    other: int
    before: bytes
    after: bytes

    def is_about(self, words: re.Pattern[bytes]) -> bool:
        return bool(words.search(self.before) or words.search(self.after))


def find_numbers(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the numbers in the differences of `place` that belong to each build."""
    for number, change in enumerate(place.changes):
        for pair in _pairs(place, number):
            for cause, strength, why in _explain(pair, control, experiment):
                texts = str(pair.one), str(pair.other)
                yield Sighting(Suspicion(cause, strength, *texts, why), frozenset({number}))
        if change.end - change.start > 4096:
            break


def _pairs(place: AlignedPlace, number: int) -> Iterator[_Pair]:
    change = place.changes[number]
    start, theirs = max(0, change.start - 20), max(0, change.theirs - 20)
    own = [
        match
        for match in _NUMBER.finditer(place.control, start, change.end + 20)
        if overlaps(match.span(), change.start, change.end) or _lies_at(match, change.start, change.end)
    ]
    other = [
        match
        for match in _NUMBER.finditer(place.experiment, theirs, change.their_end + 20)
        if overlaps(match.span(), change.theirs, change.their_end) or _lies_at(match, change.theirs, change.their_end)
    ]
    if len(own) != len(other) or len(own) > 8:
        return
    for one, their in zip(own, other, strict=True):
        if one[0] != their[0]:
            around = place.control[max(0, one.start() - _ABOUT) : one.start()]
            yield _Pair(int(one[0]), int(their[0]), around, place.control[one.end() : one.end() + _ABOUT])


def _lies_at(match: re.Match[bytes], start: int, end: int) -> bool:
    """Return whether an empty change is inside the number."""
    return start == end and match.start() <= start <= match.end()


def _explain(pair: _Pair, control: Planted, experiment: Planted) -> Iterator[tuple[str, Strength, str]]:
    if (pair.one, pair.other) == (control.cpus, experiment.cpus):
        yield Cause.NUM_CPUS, _strength(pair, _CPUS), "it contains the number of CPUs"
    pids, their_pids = control.pids, experiment.pids
    if pids and their_pids and pids != their_pids and _between(pair.one, pids) and _between(pair.other, their_pids):
        yield Cause.PID, _strength(pair, _PROCESS), "it may be a process ID"
    for name in ("COLUMNS", "LINES"):
        sizes = [planted.variables.get(name, "") for planted in (control, experiment)]
        if [str(pair.one), str(pair.other)] == sizes:
            yield Cause.TERMINAL, _strength(pair, _TERMINAL), f"it contains the value of {name}"
    yield from _explain_size(pair, control, experiment)


def _explain_size(pair: _Pair, control: Planted, experiment: Planted) -> Iterator[tuple[str, Strength, str]]:
    if control.filesystem is not experiment.filesystem:
        folders = sorted((pair.one, pair.other))
        # A folder occupies whole blocks on a disk, and few bytes on a tmpfs.
        if folders[1] == 4096 and folders[0] < 4096 and folders[0] % 20 == 0:
            yield Cause.FILESYSTEM, Strength.STRONG, "folders have this size on the file system of each build"
        elif pair.is_about(_SIZES):
            yield Cause.FILESYSTEM, Strength.WEAK, "sizes and counts of files depend on the file system"
    length = len(experiment.build_path) - len(control.build_path)
    if length and pair.other - pair.one == length:
        yield Cause.BUILD_PATH, Strength.GUESS, "the numbers differ by as much as the lengths of the build paths"


def _strength(pair: _Pair, words: re.Pattern[bytes]) -> Strength:
    return Strength.STRONG if pair.is_about(words) else Strength.WEAK


def _between(number: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= number <= bounds[1]


_CPIO_FIELDS = re.compile(rb"070707([0-7]{12})|07070[12]([0-9A-Fa-f]{8})")
"""The device and inode number, or the inode number, of an entry of cpio, see cpio(5)."""
_INODE = re.compile(r"\b(?:ino|inode|dev|device)$")
AN_INODE = "both are numbers of an inode or a device, which differ on each file system"


def find_inodes(place: AlignedPlace, location: str) -> Iterator[Sighting]:
    """Yield inode and device numbers in entries of cpio; the `location` of a header field may name them."""
    if _INODE.search(location):
        values = shown(place.control), shown(place.experiment)
        for cause in (Cause.RANDOM, Cause.FILESYSTEM):
            yield Sighting(Suspicion(cause, Strength.WEAK, *values, AN_INODE), frozenset({0}))
        return
    own, theirs = (
        {match.start(match.lastindex or 0): match for match in _CPIO_FIELDS.finditer(text)}
        for text in (place.control, place.experiment)
    )
    for number, change in enumerate(place.changes):
        for start in own.keys() & theirs.keys():
            if start <= change.start and change.end <= own[start].end():
                values = shown(own[start][0]), shown(theirs[start][0])
                yield Sighting(Suspicion(Cause.RANDOM, Strength.WEAK, *values, AN_INODE), frozenset({number}))


_ADDRESS = re.compile(
    rb"(?<![0-9A-Za-z])(?:0x)?0{0,4}(7[ef][0-9a-f]{10}|5[56][0-9a-f]{10}|ffff[89a-f][0-9a-f]{11})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_DECIMAL = re.compile(rb"(?<![0-9.])(?:1[34]\d{13}|9[3-5]\d{12})(?![0-9])")
"""0x7e... to 0x7fff..., and 0x55... to 0x56...: as from Python's id()."""


_FIXED = (0x5555, 0x7FFF, 0xAAAA, 0xFFFF)


def find_addresses(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield memory addresses: of libraries and stacks, of programs, of the kernel."""
    varied = control.randomised_addresses or experiment.randomised_addresses
    fixed = not control.randomised_addresses and experiment.randomised_addresses
    for pattern, strength in ((_ADDRESS, Strength.STRONG if varied else Strength.WEAK), (_DECIMAL, Strength.WEAK)):
        matches, others = list(pattern.finditer(place.control)), list(pattern.finditer(place.experiment))
        for number, change in enumerate(place.changes):
            own = [match for match in matches if overlaps(match.span(), change.start, change.end)]
            theirs = [match for match in others if overlaps(match.span(), change.theirs, change.their_end)]
            for one, other in zip(own, theirs, strict=False):
                if one[0] != other[0]:
                    sure = pattern is _DECIMAL and fixed and _are_addresses(int(one[0]), int(other[0]))
                    values = shown(one[0]), shown(other[0])
                    found = Suspicion(
                        Cause.ASLR, Strength.STRONG if sure else strength, *values, "both are memory addresses"
                    )
                    yield Sighting(found, frozenset({number}))
    yield from _find_pointers(place, fixed=fixed)


def _are_addresses(one: int, other: int) -> bool:
    """Return whether two numbers are of objects in memory, of which only those of the control are at fixed places."""
    aligned = one % 8 == other % 8 == 0
    return aligned and one >> 32 in _FIXED and other >> 32 not in _FIXED


def _find_pointers(place: AlignedPlace, *, fixed: bool) -> Iterator[Sighting]:
    """Yield little-endian 64-bit numbers that end like addresses of programs on x86-64 and arm64.

    `fixed` if the control had no random addresses.
    """
    for number, change in enumerate(place.changes):
        if change.end - change.start > 6 or change.end - change.start != change.their_end - change.theirs:
            continue
        for position in range(max(0, change.end - 6, change.theirs - change.start), change.start + 1):
            theirs = change.theirs + position - change.start
            one, other = place.control[position : position + 8], place.experiment[max(0, theirs) : theirs + 8]
            if _is_pointer(one) and _is_pointer(other) and one != other:
                strength = Strength.STRONG if fixed and _is_fixed(one) and not _is_fixed(other) else Strength.WEAK
                why = "both are memory addresses, stored as 64-bit numbers"
                yield Sighting(
                    Suspicion(Cause.ASLR, strength, one[::-1].hex(), other[::-1].hex(), why), frozenset({number})
                )


def _is_fixed(data: bytes) -> bool:
    """Return whether Linux places programs, libraries or the stack there with ADDR_NO_RANDOMIZE: personality(2)."""
    return int.from_bytes(data, "little") >> 32 in _FIXED


def _is_pointer(data: bytes) -> bool:
    return len(data) == 8 and data[6:] == b"\0\0" and data[5] in (0x55, 0x56, 0x7E, 0x7F) and any(data[:4])
