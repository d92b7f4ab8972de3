"""Whether items are sorted as in a language, and not by their bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

_ESTONIAN = {letter: f"{place:02}" for place, letter in enumerate("abcdefghijklmnopqrsšzžtuvwõäöüxy")}


def is_sorted_by_bytes(items: Sequence[bytes]) -> bool:
    """Return whether `items` are in the order of the C locale, ascending or descending."""
    return list(items) in (sorted(items), sorted(items, reverse=True))


def is_sorted_by_language(items: Sequence[bytes], language: str) -> bool:
    """Return whether `items` are in an order that ignores case and punctuation at first, as in most locales."""
    texts = [item.decode("utf-8", "replace") for item in items]
    keys: tuple[Callable[[str], str], ...] = (_plain, _with_marks)
    if language.startswith("et"):
        keys = (_estonian, *keys)
    return any(_ascends([key(text) for text in texts]) for key in keys)


def _ascends(keys: Sequence[str]) -> bool:
    return all(one <= other for one, other in pairwise(keys))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _with_marks(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold())


def _estonian(text: str) -> str:
    return "".join(_ESTONIAN.get(letter, f"0{letter}") for letter in text.casefold() if letter.isalnum())
