"""The same items in a different order."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_ftc.comparison.members.span import common_start
from pytest_ftc.diagnosis.canaries.collation import is_sorted_by_bytes, is_sorted_by_language
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import shown
from pytest_ftc.model import Cause, Strength, Suspicion

_MOST = 1 << 20
_CHUNK = 32
"""Shortest total length, in bytes, at which a different order is no coincidence."""
_ITEM = re.compile(rb"[^\s,;:|()\[\]{}<>\"'\0]+")
_FILE = re.compile(rb"(?:[^/\s]*/)+[^/\s]+|[\w.+-]*\.[A-Za-z][A-Za-z0-9]{0,7}|[A-Za-z][\w+-]*-?\d+")
_SET = re.compile(rb"[{(\[\"']")
_SAME = "the same {} in a different order"


def find_order(control: bytes, experiment: bytes, own: Planted, theirs: Planted) -> Iterator[Suspicion]:
    """Yield possible reasons why the items of `control` are in a different order in `experiment`."""
    if max(len(control), len(experiment)) > _MOST:
        return
    for kind, items, their_items, least in _readings(control, experiment):
        if len(items) >= least and items != their_items and Counter(items) == Counter(their_items):
            yield from _explain(kind, items, their_items, control, own, theirs)
            return
    if len(control) == len(experiment):
        yield from _find_moved_bytes(control, experiment)


def _readings(control: bytes, experiment: bytes) -> Iterator[tuple[str, list[bytes], list[bytes], int]]:
    """Yield the items of each side, and the fewest of them that have an order."""
    yield "lines", control.splitlines(), experiment.splitlines(), 2
    if b"\0" in control.strip(b"\0"):
        yield "strings", _strings(control), _strings(experiment), 3
    words, their_words = (_differing_words(*pair) for pair in ((control, experiment), (experiment, control)))
    # Dates and versions may have the same digits by chance.
    if sum(not word.isdigit() for word in words) * 2 > len(words):
        yield "items", words, their_words, 3


def _strings(data: bytes) -> list[bytes]:
    return [part for part in data.split(b"\0") if part]


def _differing_words(one: bytes, other: bytes) -> list[bytes]:
    words, their_words = _ITEM.findall(one), _ITEM.findall(other)
    end = len(words)
    while end and len(words) == len(their_words) and words[end - 1] == their_words[end - 1]:
        end -= 1
    start = next((place for place in range(min(end, len(their_words))) if words[place] != their_words[place]), 0)
    return words[start:end]


def _explain(
    kind: str, items: Sequence[bytes], theirs: Sequence[bytes], text: bytes, own: Planted, other: Planted
) -> Iterator[Suspicion]:
    texts = shown(b" ".join(items)), shown(b" ".join(theirs))
    why = _SAME.format(kind)
    files = sum(bool(_FILE.fullmatch(item.strip())) for item in items) * 2 > len(items)
    if own.file_order is not other.file_order and _is_reversed(items, theirs):
        strength = Strength.STRONG if len(items) > 2 or files else Strength.WEAK
        yield Suspicion(Cause.FILEORDERING, strength, *texts, f"{why}: reversed, as the folders list them")
    if own.locale != other.locale and _follows_language(items, theirs, own.locale, other.locale):
        yield Suspicion(Cause.LOCALES, Strength.STRONG, *texts, f"{why}: sorted by the locale of each build")
    printed = kind == "items" and bool(_SET.search(text))
    yield Suspicion(Cause.HASH_SEED, Strength.GUESS if files else Strength.WEAK, *texts, f"{why}{_as_in_set(printed)}")
    yield Suspicion(Cause.FILEORDERING, Strength.WEAK if files else Strength.GUESS, *texts, f"{why}{_as_files(files)}")
    yield Suspicion(Cause.RACE, Strength.GUESS, *texts, f"{why}, possibly that in which parallel work finished")


def _as_in_set(printed: bool) -> str:
    return ", like that of a set or hash table" if printed else ", possibly that of a hash table"


def _as_files(files: bool) -> str:
    return ", and they look like file names" if files else ", possibly that of the files in a folder"


def _is_reversed(items: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Return whether one is the reverse of the other, as a whole or in each folder; a lone file has no order."""
    if list(items) == list(theirs)[::-1]:
        return True
    own, other = _by_folder(items), _by_folder(theirs)
    lone = sum(len(files) == 1 for files in own.values())
    return lone * 2 <= len(items) and own == {name: files[::-1] for name, files in other.items()}


def _by_folder(items: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    folders: dict[bytes, list[bytes]] = {}
    for item in items:
        folders.setdefault(posixpath.dirname(item.rstrip(b"/")), []).append(item)
    return folders


def _follows_language(items: Sequence[bytes], theirs: Sequence[bytes], own: str, other: str) -> bool:
    if is_sorted_by_bytes(items) == is_sorted_by_bytes(theirs):
        # Both plain, or neither: two languages.
        return (
            not is_sorted_by_bytes(items) and is_sorted_by_language(items, own) and is_sorted_by_language(theirs, other)
        )
    odd, language = (theirs, other) if is_sorted_by_bytes(items) else (items, own)
    return is_sorted_by_language(odd, language)


def _find_moved_bytes(control: bytes, experiment: bytes) -> Iterator[Suspicion]:
    """Yield pieces that changed places: the same bytes, with the same counts."""
    start = common_start(control, experiment)
    if len(set(control[start:])) >= 8 and len(control) - start >= _CHUNK and Counter(control) == Counter(experiment):
        texts = shown(control[start : start + 40]), shown(experiment[start : start + 40])
        why = "the same bytes in a different order"
        yield Suspicion(Cause.FILEORDERING, Strength.WEAK, *texts, why)
        yield Suspicion(Cause.HASH_SEED, Strength.GUESS, *texts, why)
        yield Suspicion(Cause.RACE, Strength.GUESS, *texts, why)
