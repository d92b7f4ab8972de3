"""PDF files, object by object (ISO 32000-2), without following references."""

from __future__ import annotations

import base64
import calendar
import re
from collections.abc import Iterator
from functools import partial
from itertools import takewhile

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header
from pytest_ftc.comparison.members.formats.compression import decompress, zlib_decoder
from pytest_ftc.comparison.members.formats.text.pdf_text import show_text
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, span_of, spool
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_LARGEST = 64 << 20
_LARGEST_DICTIONARY = 64 << 10
# Indirect objects: object number, generation number, "obj" (7.3.10).
_OBJECT = re.compile(rb"\b(\d{1,10}) (\d{1,5}) obj\b")
_DATES = ("CreationDate", "ModDate")
_DATE = {name: re.compile(rb"/%s\s{0,9}\(([^()]{1,64})\)" % name.encode()) for name in _DATES}
# The file identifier in the trailer (14.4): one string fixed at creation, one that changes with each save.
_ID = re.compile(rb"/ID\s{0,9}\[\s{0,9}((?:<[0-9A-Fa-f]{1,128}>\s{0,9}){1,2})\]")
_PARTS = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?)?")
_LENGTH = re.compile(rb"/Length \d{1,12}\b")
_FILTER = re.compile(rb"/Filter\s{0,9}\[?\s{0,9}((?:/\w{1,32}\s{0,9}){1,8})")
_FLATE = b"FlateDecode", b"Fl"
_ASCII = b"ASCII85Decode", b"A85", b"ASCIIHexDecode", b"AHx"
"""Names of filters, and their abbreviations for images within pages (8.9.7), which some writers use for all streams."""
_LARGEST_TEXT = 4 << 20
"""Bytes in ASCII that are decoded: that takes a second."""
# The program of an embedded font (9.9).
_FONT = re.compile(rb"/Length1 \d|/Subtype\s{0,9}/(?:Type1C|CIDFontType0C|OpenType)\b")
# Glyphs are embedded for the text, and cross-references (7.5.8) tell where objects are.
_FOLLOWS = re.compile(_FONT.pattern + rb"|/Type\s{0,9}/XRef\b")
# The keyword is followed by CRLF or LF, never by CR alone (7.3.8.1).
_STREAM = re.compile(rb"\bstream\r?\n")


def is_pdf(span: Span, name: str) -> bool:
    return span.read(0, 5) == b"%PDF-"


def read_pdf(span: Span, budget: Budget) -> Contents:
    """Return dates, identifier and objects; the cross-reference table follows from them.  Raises LimitReachedError."""
    if span.size > _LARGEST:
        raise LimitReachedError(f"larger than {_LARGEST} bytes")
    data = span.read(0, span.size)
    return Contents(
        format=FileFormat.PDF,
        noun="PDF object",
        attributes=tuple(_read_fields(data)),
        members=tuple(sorted(budget.few(_read_objects(data, span, budget)), key=lambda member: member.follows)),
    )


def _read_fields(data: bytes) -> Iterator[Attribute]:
    yield header("PDF header version", data[:8])
    for name, pattern in _DATE.items():
        for index, found in enumerate(pattern.findall(data)[:8]):
            location = f"PDF /{name}" + (f" ({index + 1})" if index else "")
            yield Attribute(Field.MTIME, location, _read_date(found))
            yield header(f"{location} time zone", found[16:])
    # Each incremental update appends a trailer; the last one counts (7.5.6).
    for found in _ID.findall(data)[-1:]:
        yield header("PDF /ID", found)


def _read_date(text: bytes) -> bytes:
    """Return seconds since 1970; the text itself if it is not a date (7.9.4)."""
    match = _PARTS.match(text.decode("latin-1"))
    if not match:
        return text
    year, month, day, hour, minute, second = (int(match[index] or index in (2, 3)) for index in range(1, 7))
    offset = (int(match[8] or 0) * 60 + int(match[9] or 0)) * 60 * (-1 if match[7] == "-" else 1)
    try:
        return str(calendar.timegm((year, month, day, hour, minute, second)) - offset).encode()
    except ValueError:
        return text


def _read_objects(data: bytes, span: Span, budget: Budget) -> Iterator[Member]:
    position = 0
    while match := _OBJECT.search(data, position):
        end = data.find(b"endobj", match.end())
        position = end if end >= 0 else len(data)
        name = f"{match[1].decode()} {match[2].decode()}"
        stored = span.part(match.end(), position - match.end())
        head = stored.read(0, _LARGEST_DICTIONARY)
        stream = _STREAM.search(head)
        packed = bool(_filters(head))
        yield Member(
            name=name,
            part=f"PDF object {name}",
            stored=stored,
            content=partial(_read_object, stored, budget),
            follows=bool(stream and _FOLLOWS.search(head, 0, stream.start())),
            recoded=f"PDF object {name} compressed data (compression level or tool)" if packed else "",
        )


def _read_object(stored: Span, budget: Budget) -> Span:
    """Return an object with its stream decompressed, without /Length and the dates, which are attributes already."""
    head = stored.read(0, _LARGEST_DICTIONARY)
    stream = _STREAM.search(head)
    dictionary = head[: stream.end()] if stream else head
    plain = dictionary
    for pattern in _DATE.values():
        plain = pattern.sub(b"", plain)
    if stream and (filters := _filters(dictionary)):
        payload = stored.part(stream.end(), stored.size - stream.end())
        for name in filters:
            payload = _decode(payload, name, budget)
        if payload.size <= _LARGEST_TEXT and not _FONT.search(dictionary):
            return spool((_LENGTH.sub(b"", plain), show_text(payload.read(0, payload.size))), budget)
        return spool(_join(_LENGTH.sub(b"", plain), payload), budget)
    if plain == dictionary:
        return stored
    return span_of(plain + stored.read(len(dictionary), stored.size))


def _filters(dictionary: bytes) -> list[bytes]:
    """Return the filters of a stream (7.4) in the order in which they are undone, as far as they are known."""
    found = _FILTER.search(dictionary)
    names = found[1].split(b"/")[1:] if found else []
    return list(takewhile(lambda name: name in _FLATE + _ASCII, map(bytes.strip, names)))


def _decode(span: Span, name: bytes, budget: Budget) -> Span:
    """Undo one filter.  Raises LimitReachedError, OutOfTimeError, ValueError and exceptions of zlib."""
    if name in _FLATE:
        return decompress(span, zlib_decoder, budget, single=True).payload
    if span.size > _LARGEST_TEXT:
        raise LimitReachedError(f"a stream in ASCII of more than {_LARGEST_TEXT} bytes")
    budget.take_bytes(span.size)
    text = span.read(0, span.size)
    if name in _ASCII[:2]:
        return span_of(base64.a85decode(text.partition(b"~>")[0]))
    return span_of(bytes.fromhex(text.partition(b">")[0].decode("ascii")))


def _join(head: bytes, rest: Span) -> Iterator[bytes]:
    yield head
    for position in range(0, rest.size, 1 << 17):
        yield rest.read(position, 1 << 17)
