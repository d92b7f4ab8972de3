"""The grammar of ``--ftc-variations``: reprotest's ``+a,-b,all``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from pytest_ftc.errors import ConfigurationError


def parse_specification(
    specification: str, known: Sequence[str], presets: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[str, ...]:
    """Return the variations that `specification` selects, in the order of `known`.

    Items are read from left to right, starting from none: ``a`` and ``+a`` add, ``-a`` removes, ``all`` and the names
    of `presets` stand for several.  A specification that begins by removing begins from all.

    Raises ConfigurationError.
    """
    sets = {"all": tuple(known), "none": (), **(presets or {}), **{name: (name,) for name in known}}
    items = [item.strip() for item in specification.split(",") if item.strip()]
    selected = set(known) if items and items[0].startswith("-") else set()
    for item in items:
        name = item.lstrip("+-") if item[:1] in "+-" else item
        if name not in sets:
            raise ConfigurationError(_explain_unknown(name, list(sets)))
        if item.startswith("-"):
            selected -= set(sets[name])
        else:
            selected |= set(sets[name])
    return tuple(name for name in known if name in selected)


def _explain_unknown(name: str, valid: list[str]) -> str:
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"unknown variation {name!r}{hint}  Valid names: {', '.join(valid)}"
