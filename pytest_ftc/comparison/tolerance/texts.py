"""Numbers in texts: tables in CSV, and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from pytest_ftc.comparison.members.formats.text.csv_text import delimiter_of, is_csv
from pytest_ftc.comparison.members.numbers.measure import Pair, measure
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.tolerance.measured import Measured
from pytest_ftc.comparison.tolerance.refusal import RefusedError

_LARGEST = 4 << 20
_LONGEST = 400
"""Characters of a number."""
_NUMBER = re.compile(r"([ ]*)([+-]?(?:\d+(\.\d*)?|(\.\d+))([eE][+-]?\d+)?)([ ]*)", re.ASCII)
_IN_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.ASCII)
_LINE_ENDS = ("\r\n", "\n", "\r")


def compare_texts(one: Span, other: Span, name: str) -> Iterator[Measured]:
    """Yield how far the numbers that differ in two tables or JSON documents are apart.

    Raises RefusedError if anything else differs, ValueError and RecursionError for invalid texts.
    """
    if max(one.size, other.size) > _LARGEST:
        raise RefusedError(f"it is a text of more than {_LARGEST} bytes")
    control, experiment = (span.read(0, span.size).decode() for span in (one, other))
    yield from _compare_tables(control, experiment) if is_csv(name) else _compare_documents(control, experiment)


def _compare_tables(one: str, other: str) -> Iterator[Measured]:
    delimiter = delimiter_of(one)
    tokens = re.compile(rf'"(?:[^"]|"")*"|\r\n|[^{delimiter}\r\n"]+|["\r\n{delimiter}]')
    control, experiment = (tokens.findall(text) for text in (one, other))
    pairs = list(_pair(control, experiment, (delimiter, *_LINE_ENDS)))
    total = sum(bool(_NUMBER.fullmatch(token)) for token in control)
    yield Measured(name="", extent=measure(pairs, total), locate=lambda index: _name_cell(control, index, delimiter))


def _pair(one: Sequence[str], other: Sequence[str], borders: Sequence[str]) -> Iterator[Pair]:
    """Yield the cells that differ.  Raises RefusedError if something is not a number that fills its cell."""
    if len(one) != len(other):
        raise RefusedError("the shape of the table differs")
    for index, (left, right) in enumerate(zip(one, other, strict=True)):
        if left != right:
            around = {*one[max(0, index - 1) : index], *one[index + 1 : index + 2]}
            if not around <= set(borders):
                raise RefusedError("other text than numbers differs")
            yield (index, *_read(left, right))


def _read(one: str, other: str) -> tuple[Decimal, Decimal]:
    """Return two numbers.  Raises RefusedError if they are none, or not both whole or both with a fraction."""
    left, right = (_NUMBER.fullmatch(text) if len(text) <= _LONGEST else None for text in (one, other))
    if not left or not right or (left[1], left[6]) != (right[1], right[6]):
        raise RefusedError("other text than numbers differs")
    if _is_whole(left) != _is_whole(right):
        raise RefusedError("the types of numbers differ: whole, and with a fraction or an exponent")
    return Decimal(left[2]), Decimal(right[2])


def _is_whole(number: re.Match[str]) -> bool:
    return number[3] is number[4] is number[5] is None


def _name_cell(tokens: Sequence[str], index: int, delimiter: str) -> str:
    ends = [place for place, token in enumerate(tokens[:index]) if token in _LINE_ENDS]
    column = tokens[ends[-1] if ends else 0 : index].count(delimiter)
    return f"row {len(ends) + 1}, column {column + 1}"


def _compare_documents(one: str, other: str) -> Iterator[Measured]:
    control, experiment = (list(_IN_JSON.finditer(text)) for text in (one, other))
    if one[:1] not in ("{", "[") or _IN_JSON.split(one) != _IN_JSON.split(other):
        raise RefusedError("other text than numbers differs, or it is neither a table nor JSON")
    pairs = [
        (index, *_read(left[0], right[0]))
        for index, (left, right) in enumerate(zip(control, experiment, strict=True))
        if left[0] != right[0]
    ]
    # The other one must be valid too: numbers with leading zeros are not.
    json.loads(other)
    paths = _name_numbers(one, [found[0] for found in control])
    total = sum(path != "" for path in paths)
    yield Measured(name="", extent=measure(pairs, total), locate=lambda index: f"key {paths[index]}")


def _name_numbers(text: str, tokens: Sequence[str]) -> Sequence[str]:
    """Return for each string and number of a document its path; empty for strings.  Raises RefusedError, ValueError."""
    paths = _walk(json.loads(text, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=_Pairs), "")
    try:
        named = ["" if token.startswith('"') else next(paths) for token in tokens]
    except StopIteration:
        raise RefusedError("its numbers cannot be told from the rest") from None
    if next(paths, None) is not None:
        raise RefusedError("its numbers cannot be told from the rest")
    return named


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, also where a key repeats."""


def _walk(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        for key, inner in value:
            yield from _walk(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{index}]")
    elif isinstance(value, Decimal):
        yield path
