"""The search and the filters of the page; they need JavaScript, and are hidden without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.reporting.by_cause import CauseSummary
from pytest_ftc.reporting.html.elements import line

_SEARCH = Markup(
    '<input type="search" id="search" aria-label="Search" aria-keyshortcuts="/"'
    ' placeholder="Search artifacts, causes, files">'
)
_BUTTONS = Markup(
    '<button type="button" id="expand">Expand all</button><button type="button" id="collapse">Collapse all</button>'
    '<p id="found" class="quiet" role="status" aria-live="polite"></p></div>'
)
_ONLY_NEW = Markup('<label><input type="checkbox" id="new"> only new findings</label>')


def tools(
    verifications: Sequence[Verification], causes: Sequence[CauseSummary], *, has_baseline: bool
) -> Iterator[Markup]:
    """Yield the search, and a filter for whatever differs between the artifacts or the `causes` of their findings."""
    verdicts = {one.verdict for one in verifications}
    yield Markup('<div class="tools" role="search" hidden>')
    yield _SEARCH
    yield from _filter("verdict", "all verdicts", (each.value for each in Verdict if each in verdicts))
    yield from _filter("cause", "all causes", (each.cause for each in causes))
    if has_baseline:
        yield _ONLY_NEW
    yield _BUTTONS


def _filter(name: str, everything: str, values: Iterable[str]) -> Iterator[Markup]:
    options = [Markup("<option>{}</option>").format(line(value)) for value in values]
    if len(options) > 1:
        block = Markup('<select id="{}" aria-label="{}"><option value="">{}</option>{}</select>')
        yield block.format(name, f"Filter by {name}", everything, Markup().join(options))
