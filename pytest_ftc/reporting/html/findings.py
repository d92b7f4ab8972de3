"""Findings on the page: location, cause, both values, command, remedy and the collapsed diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from pytest_ftc.model import Difference, Finding, Verdict, Verification
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.baseline.state import Accepted, fold_new_first
from pytest_ftc.reporting.findings import (
    describe_remedy_state,
    show_certainty,
    show_chain,
    show_command,
    show_settings,
)
from pytest_ftc.reporting.html.elements import cause_link, count, folded, line, link_file, link_here, link_output, text
from pytest_ftc.reporting.html.sides import mark_difference, side_by_side

_MOST_FINDINGS = 1000
_MOST_OPEN = 30
"""Findings of an artifact that are expanded."""
_MOST_SIMILAR = 20
"""Listed places of one group of findings."""
_MOST_DIFF = 200_000
"""Bytes of a diff shown on the page."""


class Findings:
    """Renders the findings of one page; each diff appears once, and each finding has a unique anchor."""

    def __init__(self, known: Accepted, folder: str) -> None:
        self._known = known
        self._folder = folder
        self._diffs: set[str] = set()
        self._names: set[str] = set()
        self._linked: set[tuple[str, str]] = set()
        """Outputs that are linked on the page, with the artifact of each."""

    @property
    def drawn(self) -> int:
        """Number of findings on the page so far."""
        return len(self._names)

    def draw(self, one: Verification) -> Iterator[Markup]:
        """Yield the findings of an artifact."""
        if one.verdict not in (Verdict.UNREPRODUCIBLE, Verdict.FRAGILE):
            return
        differences = {_key(difference): difference for difference in one.differences}
        groups = fold_new_first(one, self._known)
        drawn = [
            Markup().join(self._finding(one, findings, differences.get(_key(findings[0])), is_known=is_known))
            for findings, is_known in groups[:_MOST_FINDINGS]
        ]
        yield from drawn[:_MOST_OPEN]
        if rest := drawn[_MOST_OPEN:]:
            yield from folded(count(len(rest), "more finding"), rest, style="more")
        if len(groups) > _MOST_FINDINGS:
            yield Markup("<p>and {:,} more in report.json</p>").format(len(groups) - _MOST_FINDINGS)

    def _finding(
        self, one: Verification, findings: Sequence[Finding], difference: Difference | None, *, is_known: bool
    ) -> Iterator[Markup]:
        first = findings[0]
        name = self._name(fingerprint(one.id, first))
        sure = show_certainty(first)
        tag = Markup(' <span class="tag">{}</span>')
        state = "known" if is_known else "new"
        tags = tag.format(sure) + (tag.format(state) if self._known is not None else "")
        opening = Markup('<section class="finding{}" id="{}" data-cause="{}">')
        yield opening.format(" known" if is_known else "", name, line(first.cause))
        yield Markup("<h3>{}{} {}</h3><dl>").format(cause_link(first.cause), tags, link_here(name, "this finding"))
        yield _row("where", _place(first))
        yield from _similar(findings)
        if first.why:
            yield _row("why", line(first.why, 600))
        if first.evidence.control or first.evidence.experiment:
            yield from _evidence(first.evidence.control, first.evidence.experiment)
        if difference and difference.numbers:
            yield _row("numbers", line(difference.numbers, 600))
        if first.command:
            yield _row("command", _code(first.command))
        if first.command_line:
            yield _row("line", line(first.command_line))
        if first.chain:
            yield _row("by way of", line(show_chain(first.chain), 600))
        if first.given:
            yield _row("given to", _code(first.given))
        yield from _remedy(first)
        if difference and difference.note:
            yield _row("note", line(difference.note))
        yield from self._outputs(one, first.output)
        yield Markup("</dl>")
        if difference and difference.diff and difference.diff not in self._diffs:
            self._diffs.add(difference.diff)
            yield from _diff(difference.diff, self._folder)
        yield Markup("</section>")

    def _outputs(self, one: Verification, output: str) -> Iterator[Markup]:
        """Yield links to both sides of an `output`, in the first of its findings."""
        if one.kept and (one.id, output) not in self._linked:
            self._linked.add((one.id, output))
            if found := one.kept.find(output):
                links = (link_output(path, self._folder, side) for side, path in found.items())
                yield _row("outputs", Markup(" · ").join(links))

    def _name(self, mark: str) -> str:
        """Return an anchor for a finding: stable across sessions, and unique on this page."""
        names = (
            f"finding-{mark[:16]}{f'-{number}' if number > 1 else ''}" for number in range(1, len(self._names) + 2)
        )
        name = next(name for name in names if name not in self._names)
        self._names.add(name)
        return name


def _row(label: str, content: Markup) -> Markup:
    return Markup("<dt>{}</dt><dd>{}</dd>").format(label, content)


def _code(argv: Sequence[str]) -> Markup:
    return Markup("<code>{}</code>").format(line(show_command(argv)))


def _key(place: Finding | Difference) -> tuple[str, str, str]:
    return place.output, place.member, place.location


def _place(finding: Finding) -> Markup:
    where = line(" › ".join(filter(None, (finding.output, finding.member))))
    location = Markup(' <span class="quiet">{}</span>').format(line(finding.location)) if finding.location else ""
    return Markup('<span class="path">{}</span>{}').format(where, location)


def _similar(findings: Sequence[Finding]) -> Iterator[Markup]:
    others = findings[1:]
    if not others:
        return
    shown = [Markup("<li>{}</li>").format(_place(finding)) for finding in others[:_MOST_SIMILAR]]
    more = len(others) - len(shown)
    rest = [Markup("<li>and {:,} more in report.json</li>").format(more)] if more else []
    items = [Markup("<ul>"), *shown, *rest, Markup("</ul>")]
    yield _row("similar", Markup().join(folded(count(len(others), "more place"), items)))


def _evidence(one: str, other: str) -> Iterator[Markup]:
    """Yield both values, with the part between their common prefix and suffix marked."""
    values = ("control", "one", one), ("experiment", "other", other)
    for (label, style, value), marked in zip(values, mark_difference(one, other), strict=True):
        shown = marked if value else Markup('<span class="quiet">(nothing)</span>')
        yield Markup('<dt>{}</dt><dd class="value {}">{}</dd>').format(label, style, shown)


def _remedy(finding: Finding) -> Iterator[Markup]:
    remedy = finding.remedy
    if remedy is None:
        return
    lines = [each for each in (remedy.before, show_settings(remedy.settings), remedy.after) if each]
    code = Markup('<pre class="wrapped">{}</pre>').format(text("\n".join(lines))) if lines else ""
    good = " proved" if remedy.proved else ""
    state = Markup('<span class="tag{}">{}</span>').format(good, line(describe_remedy_state(remedy), 600))
    yield _row("remedy", Markup("{} {}{}").format(line(remedy.summary, 600), state, code))
    if remedy.also_tried:
        yield _row("also tried, did not heal it", line("; ".join(remedy.also_tried), 600))
    if remedy.rejected:
        yield _row("rejected", line("; ".join(remedy.rejected), 600))


def _diff(path: str, folder: str) -> Iterator[Markup]:
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_DIFF + 1)
    except OSError:
        return
    lines = data[:_MOST_DIFF].decode("utf-8", "replace").splitlines()
    cut = "cut here; the rest is in " if len(data) > _MOST_DIFF else ""
    link = Markup('<p class="quiet">{}{}</p>').format(cut, link_file(path, folder))
    yield from folded(f"full diff, {count(len(lines), 'line')}", [*side_by_side(lines), link])
