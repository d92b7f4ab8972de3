"""Looking for today's date in outputs that are the same although the builds' clocks were far apart.

Such a date comes from where the moved clock does not reach, most likely the times that the kernel gives to files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.search import find_bytes

_FORMS = (
    "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y",
    "%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%d %B %Y",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RealDate:
    """The result of the search."""

    text: str
    """The date as it stands in an output; empty when none does."""
    not_searched: tuple[str, ...] = ()
    """What was not opened, or not to its end; one sentence each, empty when a date was found."""


def find_real_date(
    files: Mapping[str, Path], moments: Iterable[float], explained: Mapping[str, str], source: Path
) -> RealDate:
    """Search `files`, outputs by name, for a date (UTC) of the real `moments`, in seconds since 1970.

    A date that stands in a file below `source` too, or is explained by a value of the variables `explained`, is none.
    """
    texts = list(dict.fromkeys(time.strftime(form, time.gmtime(moment)) for moment in moments for form in _FORMS))
    known = {text for text in texts if any(_explains(value, text) for value in explained.values())}
    missed: dict[str, None] = {}
    for name, file in files.items():
        unknown = [text for text in texts if text not in known]
        found = find_bytes(file, _wanted(unknown), name)
        missed.update(dict.fromkeys(f"{name}: {text}" for text in found.not_searched))
        names = {what for _, what in found.places}
        for text in (text for text in unknown if text in names):
            if not _is_in_tree(source, text):
                return RealDate(text)
            known.add(text)
    return RealDate("", tuple(missed))


def _wanted(texts: Sequence[str]) -> Mapping[bytes, str]:
    return {text.encode(): text for text in texts}


def _explains(value: str, text: str) -> bool:
    # SOURCE_DATE_EPOCH and its like.
    dates = [time.strftime(form, time.gmtime(int(value))) for form in _FORMS] if value.isdecimal() else []
    return text in value or text in dates


def _is_in_tree(folder: Path, text: str) -> bool:
    """Whether a file below `folder` contains the date; one budget for the insides of all, as trees may be large."""
    budget = Budget(Limits())
    return any(
        find_bytes(path, _wanted([text]), path.name, budget).places
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )
