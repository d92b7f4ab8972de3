"""Sets of variations to which a project has given names, for use in specifications."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Vocabulary, parse_specification

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def name_set(name: str, specification: object, vocabulary: Vocabulary) -> Vocabulary:
    """Return `vocabulary` with the `name` for a set; its `specification` may use the names of other sets.

    Raises ConfigurationError.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"expected a name of letters, digits, '-' and '_', found {name!r}")
    if name in vocabulary.sets:
        raise ConfigurationError(f"{name!r} is the name of a variation or of a preset; expected another")
    if not isinstance(specification, str):
        raise ConfigurationError(f"expected text such as 'standard,-umask', found {specification!r}")
    plain = expand_sets(specification, vocabulary)
    if not parse_specification(plain, vocabulary).names:
        raise ConfigurationError(f"expected a specification that selects a variation, found {specification!r}")
    return replace(vocabulary, named={**vocabulary.named, name: plain})


def expand_sets(text: str, vocabulary: Vocabulary) -> str:
    """Return the specification `text` with what the names of sets stand for in their places."""
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not any(_split(item)[1] in vocabulary.named for item in items):
        return text
    expanded = [part for item in items for part in _expand(item, vocabulary)]
    # What is removed first is removed from all, also if it is a set.
    return ",".join(["all", *expanded] if items[0].startswith("-") else expanded)


def _split(item: str) -> tuple[str, str]:
    """Return the sign and the name in `item`."""
    return (item[0], item[1:].strip()) if item[0] in "+-@" else ("+", item)


def _expand(item: str, vocabulary: Vocabulary) -> Iterator[str]:
    sign, name = _split(item)
    if name not in vocabulary.named:
        yield item
        return
    own = vocabulary.named[name]
    names = parse_specification(own, vocabulary).names
    yield from (f"{sign}{one}" for one in names)
    if sign != "-":
        yield from _settings(own, names)


def _settings(specification: str, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the items of `specification` that set parameters of variations that it selects."""
    for item in specification.split(","):
        if "=" in item and item.strip().lstrip("+").partition(".")[0] in names:
            yield item.strip()
