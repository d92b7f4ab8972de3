"""Looking for today's date in outputs that are the same although the builds' clocks were far apart.

Such a date comes from where the moved clock does not reach, most likely the times that the kernel gives to files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_FORMS = (
    "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y",
    "%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%d %B %Y",
)  # fmt: skip
_CHUNK = 1 << 20


def find_real_date(files: Iterable[Path], moments: Iterable[float], explained: Mapping[str, str], source: Path) -> str:
    """Return a date (UTC) of the real `moments`, in seconds since 1970, as it stands in one of `files`; else nothing.

    A date that stands in a file below `source` too, or is explained by a value of the variables `explained`, is none.
    """
    texts = list(dict.fromkeys(time.strftime(form, time.gmtime(moment)) for moment in moments for form in _FORMS))
    known = {text for text in texts if any(_explains(value, text) for value in explained.values())}
    for file in files:
        for text in _found_in(file, [text for text in texts if text not in known]):
            if not _is_in_tree(source, text):
                return text
            known.add(text)
    return ""


def _explains(value: str, text: str) -> bool:
    # SOURCE_DATE_EPOCH and its like.
    dates = [time.strftime(form, time.gmtime(int(value))) for form in _FORMS] if value.isdecimal() else []
    return text in value or text in dates


def _found_in(file: Path, texts: Iterable[str]) -> list[str]:
    wanted = {text: text.encode() for text in texts}
    found: dict[str, None] = {}
    end = b""
    with open(file, "rb", buffering=0) as content:
        while chunk := content.read(_CHUNK):
            window = end + chunk
            found.update(dict.fromkeys(text for text, data in wanted.items() if data in window))
            end = window[-32:]
    return list(found)


def _is_in_tree(folder: Path, text: str) -> bool:
    return any(
        _found_in(path, [text]) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )  # fmt: skip
