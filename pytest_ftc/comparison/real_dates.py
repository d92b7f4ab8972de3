"""Searching for the real date in outputs that are equal although the builds' clocks were far apart.

Such a date comes from a clock that was not moved, most likely the timestamps that the kernel gives to files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.comparison.date_forms import Form, find_forms, make_forms, screen_large
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.search import scan_pieces

_LARGE = 1 << 30
"""A size for names, so that forms that count only in short texts do not count in them."""


@dataclass(frozen=True, slots=True)
class RealDate:
    """The result of the search."""

    text: str
    """The date as it appears in an output; empty if none was found."""
    not_searched: tuple[str, ...] = ()
    """What was not searched, or not completely; one sentence each, empty if a date was found."""


def find_real_date(
    files: Mapping[str, Path],
    moments: Iterable[float],
    explained: Mapping[str, str],
    source: Path,
    *,
    numbers: bool = True,
    known: Collection[int] = (),
) -> RealDate:
    """Search `files`, outputs by name, for a date of the real `moments`, in seconds since 1970.

    A date that also appears in a file below `source`, or matches a value of the variables `explained`, does not count,
    nor does a time that is `known` to the second.  Without `numbers`, those of two or three digits do not count either.
    """
    forms = make_forms(moments, explained, numbers=numbers, known=known)
    large, in_large = screen_large(forms)
    missed: dict[str, None] = {}
    in_source: set[str] = set()
    for name, file in files.items():

        def look(data: bytes, size: int) -> Sequence[str]:
            if size > large and not in_large.search(data):
                return ()
            return tuple(find_forms(data, size, forms))

        found = scan_pieces(file, look, name)
        missed.update(dict.fromkeys(f"{name}: {text}" for text in found.not_searched))
        texts = dict.fromkeys((*(text for _, text in found.places), *look(name.encode(errors="replace"), _LARGE)))
        for text in texts:
            if text not in in_source and not _is_in_tree(source, text, forms):
                return RealDate(text)
            in_source.add(text)
    return RealDate("", tuple(missed))


def _is_in_tree(folder: Path, text: str, forms: Sequence[Form]) -> bool:
    """Return whether a file below `folder`, or its name, contains the date; all files share one budget."""
    budget = Budget(Limits())
    # Without the conditions on size and context: the output may have copied the date from anywhere.
    wanted = [replace(form, holds=bool) if form.most else form for form in forms if form.text in (text, "")]

    def look(data: bytes, size: int) -> Iterable[str]:
        return [found for found in find_forms(data, 0, wanted) if found == text]

    for path in folder.rglob("*"):
        if any(look(path.name.encode(errors="replace"), 0)):
            return True
        if path.is_file() and not path.is_symlink() and scan_pieces(path, look, path.name, budget).places:
            return True
    return False
