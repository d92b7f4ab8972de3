"""Whether items are in an order of some language, which the order of bytes is not."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

_ESTONIAN = {letter: f"{place:02}" for place, letter in enumerate("abcdefghijklmnopqrsšzžtuvwõäöüxy")}


def is_sorted_by_bytes(items: Sequence[bytes]) -> bool:
    """Whether `items` are in the order of the C locale, one way or the other."""
    return list(items) in (sorted(items), sorted(items, reverse=True))


def is_sorted_by_language(items: Sequence[bytes], language: str) -> bool:
    """Whether `items` are in an order that ignores case and punctuation first, as that of most locales does."""
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
