"""Looking for today's date in outputs that are the same although the builds' clocks were far apart.

Such a date comes from where the moved clock does not reach, most likely the times that the kernel gives to files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.comparison.date_forms import Form, find_forms, make_forms
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.search import scan_pieces

_LARGE = 1 << 30
"""A name is no short text, so that the numbers in it do not count."""


@dataclass(frozen=True, slots=True)
class RealDate:
    """The result of the search."""

    text: str
    """The date as it stands in an output; empty when none does."""
    not_searched: tuple[str, ...] = ()
    """What was not opened, or not to its end; one sentence each, empty when a date was found."""


def find_real_date(
    files: Mapping[str, Path],
    moments: Iterable[float],
    explained: Mapping[str, str],
    source: Path,
    *,
    numbers: bool = True,
) -> RealDate:
    """Search `files`, outputs by name, for a date of the real `moments`, in seconds since 1970.

    A date that stands in a file below `source` too, or is explained by a value of the variables `explained`, is none.
    Without `numbers`, numbers of two or three digits are none either.
    """
    forms = make_forms(moments, explained, numbers=numbers)
    missed: dict[str, None] = {}
    known: set[str] = set()
    for name, file in files.items():

        def look(data: bytes, size: int) -> Sequence[str]:
            return tuple(find_forms(data, size, forms))

        found = scan_pieces(file, look, name)
        missed.update(dict.fromkeys(f"{name}: {text}" for text in found.not_searched))
        texts = dict.fromkeys((*(text for _, text in found.places), *look(name.encode(errors="replace"), _LARGE)))
        for text in texts:
            if text not in known and not _is_in_tree(source, text, forms):
                return RealDate(text)
            known.add(text)
    return RealDate("", tuple(missed))


def _is_in_tree(folder: Path, text: str, forms: Sequence[Form]) -> bool:
    """Whether a file below `folder`, or its name, contains the date; one budget for the insides of all."""
    budget = Budget(Limits())
    # However large it is, and whatever else it names: it may have come from there.
    wanted = [replace(form, holds=bool) if form.most else form for form in forms if form.text in (text, "")]

    def look(data: bytes, size: int) -> Iterable[str]:
        return [found for found in find_forms(data, 0, wanted) if found == text]

    for path in folder.rglob("*"):
        if any(look(path.name.encode(errors="replace"), 0)):
            return True
        if path.is_file() and not path.is_symlink() and scan_pieces(path, look, path.name, budget).places:
            return True
    return False
