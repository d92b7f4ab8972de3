"""Decodings of bytes: without escapes, line breaks, or the columns of a hexdump."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_NEVER = 1 << 30
_TEXT = re.compile(rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3}){12,}")

Replace = Callable[[re.Match[bytes]], bytes]


@dataclass(frozen=True, slots=True)
class Step:
    """What is replaced in the bytes."""

    pattern: re.Pattern[bytes]
    replace: Replace

    def apply(self, data: bytes) -> bytes:
        return self.pattern.sub(self.replace, data)

    def locate(self, data: bytes, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return where `spans` of what this step makes of `data` lie in `data`."""
        made, taken, ends = [0], [0], [0]
        position = 0
        for match in self.pattern.finditer(data):
            position += match.start() - ends[-1]
            made.append(position)
            taken.append(match.start())
            position += len(self.replace(match))
            made.append(position)
            taken.append(match.end())
            ends.append(match.end())
        return [(_origin(made, taken, start), _origin(made, taken, end - 1, end=1)) for start, end in spans]


def _origin(made: Sequence[int], taken: Sequence[int], position: int, end: int = 0) -> int:
    index = bisect_right(made, position) - 1
    # The entries at odd places begin what was replaced, those at even ones what was kept.
    return taken[index + end] if index % 2 else taken[index] + position - made[index] + end


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read bytes."""

    name: str
    steps: tuple[Step, ...]
    needs: re.Pattern[bytes]
    """What occurs in all bytes that are worth reading so."""
    shortest: int = 0
    """Bytes that a plain word has that is looked for in it: where it joins words, short ones stand by chance."""

    def apply(self, data: bytes) -> bytes:
        """Return `data` read so."""
        for step in self.steps:
            data = step.apply(data)
        return data

    def locate(self, data: bytes, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return where `spans` of ``apply(data)`` lie in `data`."""
        stages = [data]
        for step in self.steps[:-1]:
            stages.append(step.apply(stages[-1]))
        located = list(spans)
        for step, before in zip(reversed(self.steps), reversed(stages), strict=True):
            located = step.locate(before, located)
        return located


def texts_in(data: bytes) -> bytes:
    """Return what is text in `data`, NUL between: nothing else is worth reading in another way, and it takes time."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        # A character may be cut by the end of the data.
        if error.start < len(data) - 4:
            return b"\0".join(_TEXT.findall(data))
    return data


def read_all(data: bytes) -> Iterator[tuple[Reading, bytes]]:
    """Yield each reading of `data` that differs from it."""
    for reading in READINGS:
        if reading.needs.search(data) and (read := reading.apply(data)) != data:
            yield reading, read


def _drop(pattern: bytes) -> Step:
    return Step(re.compile(pattern), lambda _: b"")


def _unescape(match: re.Match[bytes]) -> bytes:
    text = match[0]
    if text[:1] == b"\\":
        return _unescape_backslash(match)
    if text[:1] == b"%":
        return bytes([int(text[1:], 16)])
    if text[:2] == b"&#":
        return _character(int(match["hexadecimal"], 16) if match["hexadecimal"] else int(match["decimal"]))
    return _ENTITIES[text]


def _unescape_backslash(match: re.Match[bytes]) -> bytes:
    if match["pair"]:
        # JSON writes characters beyond the first plane as two surrogates, RFC 8259 section 7.
        return bytes.fromhex(match["pair"].replace(b"\\u", b"").decode()).decode("utf-16-be").encode()
    if digits := match["braced"] or match["u"] or match["long"]:
        return _character(int(digits, 16))
    if match["x"]:
        return bytes([int(match["x"], 16)])
    if match["octal"]:
        return bytes([int(match["octal"], 8) & 0xFF])
    character = match[0][1:]
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(character, character)


def _character(code: int) -> bytes:
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"


def _read_cell(cell: bytes) -> bytes:
    text = cell.strip() or b" "
    if len(text) == 3:
        return bytes([int(text, 8)])
    return bytes([b"\0\a\b\t\n\v\f\r"[b"0abtnvfr".index(text[1:])]]) if len(text) == 2 else text


_SPACES = {2: (1, 2), 4: (1, 2, 4), 8: (1, 2)}
"""How many spaces may lie between groups of so many digits: hexdump -C has two in the middle, hexdump -x four."""


def _columns(offset: bytes) -> Step:
    """Return the step that leaves the groups of digits of a dump, without `offset` and the column of characters."""
    groups = rb"((?:[ \t]{0,15}(?:[0-9a-fA-F]{2}){1,16}(?!\S)){1,64})"
    return Step(re.compile(rb"(?m)^" + offset + groups + rb"(?:[ \t]{2,}.*)?[ \t\r]*$"), _read_groups)


def _read_groups(match: re.Match[bytes]) -> bytes:
    """Return the groups of a line, up to the column of characters, which may look like one."""
    found: list[tuple[bytes, bytes]] = re.findall(rb"([ \t]*)([0-9a-fA-F]+)", match[1])
    width, groups = len(found[0][1]), [found[0][1]]
    for space, group in found[1:]:
        if len(group) == width and len(space) in _SPACES.get(width, (1,)):
            groups.append(group)
            continue
        # The last group may be shorter; xxd -e aligns it to the right.
        if len(group) < width and len(space) in (1, 1 + width - len(group)):
            groups.append(group)
        break
    return b" ".join(groups)


def _reverse(digits: bytes) -> bytes:
    return bytes.fromhex(digits.decode())[::-1].hex().encode()


_ENTITIES = {b"&amp;": b"&", b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&apos;": b"'"}
_ESCAPE = Step(
    re.compile(
        rb"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
        rb"|\\u(?:\{(?P<braced>[0-9a-fA-F]{1,6})\}|(?P<u>[0-9a-fA-F]{4}))|\\U(?P<long>[0-9a-fA-F]{8})"
        rb"|\\x(?P<x>[0-9a-fA-F]{2})|\\(?P<octal>[0-7]{1,3})|\\[nrt\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]"
        # Browsers read numbers without the semicolon too.
        rb"|%[0-9a-fA-F]{2}|&#(?P<decimal>\d{1,7});?|&#[xX](?P<hexadecimal>[0-9a-fA-F]{1,6});?"
        rb"|&(?:amp|lt|gt|quot|apos);"
    ),
    _unescape,
)
_QUOTED = Step(re.compile(rb"=([0-9a-fA-F]{2})"), lambda match: bytes([int(match[1], 16)]))
_ZERO = Step(re.compile(rb"\\0([0-3][0-7]{2})"), lambda match: b"\\" + match[1])
"""The four octal digits of ``echo -e`` and ``printf %b``; C reads three."""
_COLUMNS = _columns(rb"[ \t]*(?:0x)?[0-9a-fA-F]{4,16}:?(?=[ \t])")
_BARE_COLUMNS = _columns(b"")
_JOIN = _drop(rb"0[xX]|\\x|[\s,:;]+")
_WORDS = Step(re.compile(rb"\b(?:0[xX])?((?:[0-9a-fA-F]{2}){2,8})\b"), lambda match: _reverse(match[1]))
"""Words of two to eight bytes, the lowest byte first in memory: od -tx4, xxd -e."""
_OCTAL_WORDS = Step(re.compile(rb"(?<!\S)[01][0-7]{5}(?!\S)"), lambda match: _reverse(b"%04x" % int(match[0], 8)))
"""Words of two bytes: od without options, hexdump -o."""
_BITS = Step(
    re.compile(rb"(?<!\w)(?:0[bB])?((?:[01]{8})+)(?![\w:])"),
    lambda match: b"%0*x" % (len(match[1]) // 4, int(match[1], 2)),
)
_CELLS = Step(
    # Cells of four columns, which od -c makes: a character, an escape, or three octal digits.
    re.compile(rb"(?m)^(?:[0-9a-fA-F]{6,16})?((?: {3}\S| {2}\\[0abtnvfr]| [0-3][0-7]{2}| {4}){1,16})(?:\n|$)"),
    lambda match: b"".join(map(_read_cell, re.findall(b"....", match[1]))),
)
_COMMAS = Step(re.compile(rb"[\s,;]+"), lambda _: b",")
_OFFSETS = _drop(rb"(?m)^[0-9a-fA-F]{6,16}(?=[ \t])")

_HEXADECIMAL_BYTES = re.compile(rb"(?:[0-9a-fA-F]{2,16}[\s,:;]+(?:0[xX]|\\x)?){2}[0-9a-fA-F]{2}")
_HEXADECIMAL_WORDS = re.compile(rb"(?:[0-9a-fA-F]{2}){2,8}[\s,:;]+(?:0[xX])?[0-9a-fA-F]{4}")
_BIT_BYTES = re.compile(rb"[01]{8}[\s,:;]*(?:0[bB])?[01]{8}")
_OVER_LINES = (
    rb"[ \t\"'`\\+,;]{0,80}\r?\n[ \t\r\n\"'`+>#*|]{0,80}",
    # The same signs belong to the value where they are next to its other characters, or within quotes.
    rb"(?<![ \t])[ \t]*\\?\r?\n[ \t\r\n]{0,80}(?:[+>#*|]{1,8}[ \t]{1,80})?",
    rb"[\"'`][ \t\\+,;]{0,80}\r?\n[ \t+>#*|]{0,80}[\"'`]",
)

READINGS = (
    Reading("escaped", (_ESCAPE,), re.compile(rb"[\\%&]")),
    Reading("escaped twice", (_ESCAPE, _ESCAPE), re.compile(rb"\\\\|%25|&amp;")),
    Reading("escaped", (_ZERO, _ESCAPE), re.compile(rb"\\0[0-3][0-7]{2}")),
    *(Reading("split over lines", (_drop(end),), re.compile(rb"\n"), shortest=12) for end in _OVER_LINES),
    Reading("quoted-printable", (_drop(rb"=[ \t]{0,80}\r?\n"), _QUOTED), re.compile(rb"=[0-9A-Fa-f \t\r\n]")),
    Reading(
        "in a dump",
        (_CELLS,),
        re.compile(rb" {3}\S {3}\S| {2}\\"),
    ),
    *(
        Reading("in a dump", (columns, _JOIN), _HEXADECIMAL_BYTES, shortest=_NEVER)
        for columns in (_COLUMNS, _BARE_COLUMNS)
    ),
    *(
        Reading("in a dump of words", (columns, _WORDS, _JOIN), _HEXADECIMAL_WORDS, shortest=_NEVER)
        for columns in (_COLUMNS, _BARE_COLUMNS)
    ),
    *(
        Reading("in a dump of bits", (_BITS, columns, _JOIN), _BIT_BYTES, shortest=_NEVER)
        for columns in (_COLUMNS, _BARE_COLUMNS)
    ),
    Reading(
        "in a dump of words",
        (_OFFSETS, _OCTAL_WORDS, _JOIN),
        re.compile(rb"(?:[01][0-7]{5}\s+){2}"),
        shortest=_NEVER,
    ),
    Reading("in a dump", (_OFFSETS, _drop(rb"[\s,:;]+")), re.compile(rb"(?:[0-7]{3}[\s,:;]+){3}"), shortest=_NEVER),
    Reading(
        "in a list",
        (_OFFSETS, _COMMAS),
        re.compile(rb"(?:\d{1,3}[\s,;]+){5}"),
        shortest=_NEVER,
    ),
)
"""All of them."""
