"""Data that holds strings: each is a place of its own, wherever other strings have moved it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.plain import Found, Ranges, compare_bytes
from pytest_ftc.comparison.members.span import Span, common_end, common_start, first_unequal
from pytest_ftc.comparison.members.string_pairs import find_alike, pair_strings
from pytest_ftc.model import Field

_BEFORE = 4096
"""Bytes before the first difference in which the start of its string is sought."""
_CHUNK = 1 << 17
_NUMBERED = 16 << 20
"""Bytes from the start within which strings are numbered."""
_STRING = re.compile(rb"[^\0]+")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What texts do not have; escapes they may."""
_TELLING = 4
"""Characters of a string that is hardly one by chance."""
_LONG, _WORD = 8, re.compile(rb"[\w.:/+@ -]{4,}")
"""Bytes, and characters, that four random bytes hardly have."""
_FEW = 4
_NUMBER = re.compile(rb"(?<=\0)[\t-\r\x1b\x20-\x7e\x80-\xff]{4,}(?=\0)")
"""A string that is counted; what is between two zeros and is none may be a number."""
_SEARCHED = 16 << 20
"""Bytes from the start within which words are sought."""
_WORDS = re.compile(rb"[\x20-\x7e]{8,}")
"""Characters in a row that are hardly text by chance."""
_MOST_LEAD = 4
"""Characters that may be a length, and the kind of what follows."""
_MOST_WORDS = 64
"""Words that only one side has: compressed data has far more."""


class _Pair(NamedTuple):
    """Strings that differ: where they are on each side, and what they are."""

    begin: int
    their_begin: int
    control: bytes
    experiment: bytes


def compare_data(one: Span, other: Span, budget: Budget) -> Iterator[Found]:
    """Yield the first places that differ, each string as one.  Raises OutOfTimeError."""
    pairs = _find_pairs(one, other, budget)
    # What only stands elsewhere is no difference of its own.
    is_text = _is_text if one.size != other.size else _are_texts
    texts = [pair for pair in pairs if is_text(pair) and pair.control != pair.experiment]
    if not texts:
        if one.size != other.size:
            yield from choose(_find_words(one, other), "string", budget)
        yield from compare_bytes(one, other, budget)
        return
    rest = [pair for pair in pairs if not is_text(pair) and pair.control != pair.experiment]
    numbers = _number(one, [pair.begin for pair in texts], budget)
    found = [_found(pair, numbers.get(pair.begin)) for pair in texts]
    if one.size != other.size or any(pair.begin != pair.their_begin for pair in pairs):
        # The rest may have moved, so that it is no use to compare what is at the same offset; many are mostly a table.
        found += [_rest(rest)] if len(rest) > _FEW else [_rest([pair]) for pair in rest]
        yield from choose(found, "string", budget)
        return
    yield from choose(found, "string", budget)
    if rest:
        yield from compare_bytes(one, other, budget, without=_ranges(texts))


def _find_words(one: Span, other: Span) -> Iterator[Found]:
    """Yield words of either side that are alike and not equal, where they are first.

    What is before them in data of another size may only be its length.
    """
    ours, theirs = _words(one), _words(other)
    own, their = [word for word in ours if word not in theirs], [word for word in theirs if word not in ours]
    if max(len(own), len(their)) > _MOST_WORDS:
        return
    numbers = {word: number for number, word in enumerate(ours, 1)}
    leads = _lengths_before(own, their)
    trimmed = [word[leads[word] :] for word in own]
    theirs_trimmed = [word[lead:] for word, lead in _lengths_before(their, own).items()]
    for left, right in sorted(find_alike(trimmed, theirs_trimmed, range(len(own)), range(len(their))).items()):
        control, experiment = trimmed[left], theirs_trimmed[right]
        at = ours[own[left]] + leads[own[left]] + common_start(control, experiment)
        yield Found(Field.CONTENT, f"string {numbers[own[left]]}, byte {at:#x}", control, experiment)


def _lengths_before(words: Sequence[bytes], others: Sequence[bytes]) -> Mapping[bytes, int]:
    """Return how many characters of each word stand before what begins one of the `others` too: a length may be one."""
    begins = {word[lead : lead + _LONG] for word in others for lead in range(_MOST_LEAD)}
    return {
        word: next((lead for lead in range(_MOST_LEAD) if word[lead : lead + _LONG] in begins), 0) for word in words
    }


def _words(span: Span) -> Mapping[bytes, int]:
    """Return where each word is first, in that order."""
    found: dict[bytes, int] = {}
    for each in _WORDS.finditer(span.read(0, _SEARCHED)):
        found.setdefault(each[0], each.start())
    return found


def _find_pairs(one: Span, other: Span, budget: Budget) -> list[_Pair]:
    """Return all strings that differ, also what is no text; nothing if they are too far apart."""
    offset = first_unequal(one, other, budget)
    if offset is None:
        return []
    start = offset - len(_last_strings(one.read(max(0, offset - _BEFORE), min(offset, _BEFORE))))
    most = budget.limits.value
    tail = min(one.size - start, other.size - start, most)
    same = common_end(one.read(one.size - tail, tail), other.read(other.size - tail, tail))
    if max(one.size, other.size) - same - start > most:
        return []
    ours, theirs = (_strings(span.read(start, most), span.size - same - start) for span in (one, other))
    own, their = ([string[0] for string in strings] for strings in (ours, theirs))
    return [
        _Pair(
            start + _begin(ours, left),
            start + _begin(theirs, right),
            b"\0".join(own[left.start : left.stop]),
            b"\0".join(their[right.start : right.stop]),
        )
        for left, right in pair_strings(own, their, budget)
    ]


def _last_strings(data: bytes) -> bytes:
    """Return the last two strings of `data`, of which the last may be empty."""
    last = data.rpartition(b"\0")[2]
    before = data[: len(data) - len(last)].rstrip(b"\0").rpartition(b"\0")
    return data[len(before[0]) + len(before[1]) :]


def _strings(data: bytes, end: int) -> list[re.Match[bytes]]:
    """Return the strings of `data` with the one at `end`, from which both sides are equal; zeros may be padding."""
    stop = data.find(b"\0", end)
    return list(_STRING.finditer(data, 0, stop if stop >= 0 else len(data)))


def _begin(strings: Sequence[re.Match[bytes]], numbers: range) -> int:
    """Return where the strings of these `numbers` begin; of none, where the one before them ends."""
    if numbers:
        return strings[numbers.start].start()
    return strings[numbers.start - 1].end() if numbers.start else 0


def _is_text(pair: _Pair) -> bool:
    both = pair.control + pair.experiment
    try:
        both.decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(both) and max(len(pair.control), len(pair.experiment)) >= _TELLING


def _are_texts(pair: _Pair) -> bool:
    """Return whether both are texts, and no numbers that look like one by chance."""
    return _is_text(pair) and all(len(one) >= _LONG or _WORD.fullmatch(one) for one in (pair.control, pair.experiment))


def _ranges(pairs: Sequence[_Pair]) -> Ranges:
    return [(pair.begin, pair.begin + max(len(pair.control), len(pair.experiment))) for pair in pairs]


def _found(pair: _Pair, number: int | None) -> Found:
    """Return the place of a string; its `number` is the same in all builds, whatever is before it."""
    byte = f"byte {pair.begin + common_start(pair.control, pair.experiment):#x}"
    return Found(Field.CONTENT, f"string {number}, {byte}" if number else byte, pair.control, pair.experiment)


def _rest(pairs: Sequence[_Pair]) -> Found:
    control, experiment = (b"\0".join(values) for values in zip(*(pair[2:] for pair in pairs), strict=True))
    return Found(Field.CONTENT, f"byte {pairs[0].begin + common_start(control, experiment):#x}", control, experiment)


def _number(span: Span, begins: Sequence[int], budget: Budget) -> Mapping[int, int]:
    """Return the number of the text at each of `begins`, if it is near the start.  Raises OutOfTimeError."""
    numbers: dict[int, int] = {}
    count, held, at = 0, b"\0", 0
    for begin in sorted(begin for begin in begins if begin <= _NUMBERED):
        for position in range(at, begin, _CHUNK):
            budget.check_time()
            held += span.read(position, min(_CHUNK, begin - position))
            count += len(_NUMBER.findall(held))
            # The last text may go on; one is not counted before the zero after it.
            held = held[held.rfind(b"\0") :]
        at = begin
        numbers[begin] = count + 1
    return numbers
