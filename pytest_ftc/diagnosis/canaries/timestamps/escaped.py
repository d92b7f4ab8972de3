"""Binary times in text: as escapes of a string literal, and as a list of bytes, as programs write that embed files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from pytest_ftc.diagnosis.canaries.alignment import align
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting
from pytest_ftc.diagnosis.canaries.timestamps.binary import BinaryClock

_LONGEST = 64 << 10
_MOST_PLACES = 32
_FEWEST = 2
"""Escapes from which a text counts as a literal."""
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|([abfnrtv\\'\"])|\r?\n)")
_CODED = re.compile(rb"\\(?:x[0-9a-fA-F]{2}|[0-3][0-7]{2})")
_CONTROLS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))
"""The meanings of escapes with a letter, in C, Python and others."""
_BYTE = rb"(?:0[xX][0-9a-fA-F]{1,2}|[0-9]{1,3})"
_LIST = re.compile(rb"(?<![0-9A-Za-z_.])(?:%s\s{0,16},\s{0,16}){3,}%s\b" % (_BYTE, _BYTE))
"""Four numbers or more, with commas between them."""
_NUMBER = re.compile(rb"0[xX]([0-9a-fA-F]{1,2})|([0-9]{1,3})")
_SECONDS = re.compile(r"\((\d+)\)\Z")


def find_escaped_times(one: bytes, other: bytes, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the times in the bytes that two texts stand for."""
    if max(len(one), len(other)) > _LONGEST:
        return
    for decode in (_unescape, _read_lists):
        ours, theirs = decode(one), decode(other)
        if ours and theirs and ours != theirs:
            clock = BinaryClock(control, experiment)
            for place in align(ours, theirs).places[:_MOST_PLACES]:
                yield from (_in_words(found) for found in clock.find(place))


def _unescape(text: bytes) -> bytes:
    """Return what a literal stands for; nothing if it has too few escapes."""
    return _ESCAPE.sub(_meaning, text) if len(_CODED.findall(text, 0)) >= _FEWEST else b""


def _meaning(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes([int(escape[1], 16)])
    if escape[2]:
        return bytes([int(escape[2], 8)])
    return bytes([_CONTROLS.get(escape[3][0], escape[3][0])]) if escape[3] else b""


def _read_lists(text: bytes) -> bytes:
    """Return the bytes of the lists of numbers; nothing if a number is no byte."""
    words = (each for found in _LIST.finditer(text) for each in _NUMBER.finditer(found[0]))
    numbers = [int(each[1], 16) if each[1] else int(each[2]) for each in words]
    return bytes(numbers) if all(number < 256 for number in numbers) else b""


def _in_words(found: Sighting) -> Sighting:
    """Return a sighting whose evidence is the times as dates, as the bytes themselves are not in the text."""
    one, other = (_date(text) for text in (found.suspicion.control, found.suspicion.experiment))
    return Sighting(replace(found.suspicion, control=one, experiment=other), frozenset({0}))


def _date(evidence: str) -> str:
    seconds = _SECONDS.search(evidence)
    if not seconds:
        return evidence
    # Times are plausible here: from 1990 to 2050.
    return f"{datetime(1970, 1, 1) + timedelta(seconds=int(seconds[1])):%Y-%m-%d %H:%M:%S} UTC"
