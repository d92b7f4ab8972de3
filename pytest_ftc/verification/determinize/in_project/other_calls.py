"""Calls in scripts of JavaScript and Ruby that read the clock, in a form that takes SOURCE_DATE_EPOCH."""

from __future__ import annotations

import re

_JS = "process.env.SOURCE_DATE_EPOCH ? process.env.SOURCE_DATE_EPOCH * 1000 : Date.now()"
_FORMS = {
    (".cjs", ".js", ".mjs", ".ts"): (
        (re.compile(r"\bnew Date\(\s*\)"), f"new Date({_JS})"),
        (re.compile(r"(?<![:\w.]\s)\bDate\.now\(\s*\)"), f"({_JS})"),
    ),
    (".gemspec", ".rb", "Rakefile"): (
        (re.compile(r"\bTime\.now\b(?!\.to_f|\s*-)"), 'Time.at(ENV.fetch("SOURCE_DATE_EPOCH", Time.now).to_i).utc'),
        (re.compile(r"\bDate\.today\b"), 'Time.at(ENV.fetch("SOURCE_DATE_EPOCH", Time.now).to_i).utc.to_date'),
    ),
}
"""By the ends of names: what is replaced, and by what."""


def take_epoch(path: str, text: str) -> str:
    """Return the script `text` with its calls of the clock replaced; unchanged for other languages."""
    forms = next((forms for ends, forms in _FORMS.items() if path.endswith(ends)), ())
    if not forms or "SOURCE_DATE_EPOCH" in text:
        return text
    # All at once, because what takes the place of one has the other in it.
    whole = re.compile("|".join(f"({pattern.pattern})" for pattern, _ in forms))
    return whole.sub(lambda found: forms[(found.lastindex or 1) - 1][1], text)
