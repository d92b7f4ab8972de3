"""Findings on the page: where, why, both values, the command, the remedy, and the diff folded in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from pytest_ftc.model import Difference, Finding, Verdict, Verification
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import findings_of, fold, show_command
from pytest_ftc.reporting.html.escape import count, folded, line, link_file, link_here, text

_MOST_FINDINGS = 1000
_MOST_OPEN = 30
"""Findings of an artifact that are not folded away."""
_MOST_ALIKE = 20
"""Places of one finding that are listed."""
_MOST_DIFF = 200_000
"""Bytes of a diff that are folded in."""
_SIGN = re.compile(r"[│├└─ ]*([-+])")
"""Where a line of diffoscope's is marked as removed or added: behind the branches of its tree."""


class Findings:
    """Draws the findings of one page; a diff is folded in once, and each finding has a name of its own."""

    def __init__(self, known: frozenset[str], folder: str) -> None:
        self._known = known
        self._folder = folder
        self._diffs: set[str] = set()
        self._names: set[str] = set()

    @property
    def drawn(self) -> int:
        """How many findings are on the page by now."""
        return len(self._names)

    def draw(self, one: Verification) -> Iterator[str]:
        """Yield what differs in the outputs of an artifact."""
        if one.verdict not in (Verdict.UNREPRODUCIBLE, Verdict.FRAGILE):
            return
        differences = {_key(difference): difference for difference in one.differences}
        groups = fold(findings_of(one))
        drawn = [
            "".join(self._finding(one, findings, differences.get(_key(findings[0]))))
            for findings in groups[:_MOST_FINDINGS]
        ]
        yield from drawn[:_MOST_OPEN]
        if rest := drawn[_MOST_OPEN:]:
            yield from folded(count(len(rest), "more finding"), rest, style="more")
        if len(groups) > _MOST_FINDINGS:
            yield f"<p>and {len(groups) - _MOST_FINDINGS:,} more in report.json</p>"

    def _finding(self, one: Verification, findings: Sequence[Finding], difference: Difference | None) -> Iterator[str]:
        first = findings[0]
        name = self._name(fingerprint(one.id, first))
        is_known = all(fingerprint(one.id, finding) in self._known for finding in findings)
        sure = "confirmed" if first.confirmed else "suspected"
        tags = f'<span class="tag">{sure}</span>' + (' <span class="tag">known</span>' if is_known else "")
        yield f'<section class="finding{" known" if is_known else ""}" id="{name}">'
        yield f"<h3>{_cause(first)} {tags} {link_here(name, 'this finding')}</h3><dl>"
        yield f"<dt>where</dt><dd>{_place(first)}</dd>"
        yield from _alike(findings)
        if first.why:
            yield f"<dt>why</dt><dd>{line(first.why, 600)}</dd>"
        if first.evidence.control or first.evidence.experiment:
            yield from _evidence(first.evidence.control, first.evidence.experiment)
        if first.command:
            yield f"<dt>command</dt><dd><code>{line(show_command(first.command))}</code></dd>"
        if first.given:
            yield f"<dt>given to</dt><dd><code>{line(show_command(first.given))}</code></dd>"
        yield from _remedy(first)
        if difference and difference.note:
            yield f"<dt>note</dt><dd>{line(difference.note)}</dd>"
        yield "</dl>"
        if difference and difference.diff and difference.diff not in self._diffs:
            self._diffs.add(difference.diff)
            yield from _diff(difference.diff, self._folder)
        yield "</section>"

    def _name(self, mark: str) -> str:
        """Return a name for a finding: the same in the next session, and that of no other on this page."""
        names = (
            f"finding-{mark[:16]}{f'-{number}' if number > 1 else ''}" for number in range(1, len(self._names) + 2)
        )
        name = next(name for name in names if name not in self._names)
        self._names.add(name)
        return name


def _key(place: Finding | Difference) -> tuple[str, str, str]:
    return place.output, place.member, place.location


def _cause(finding: Finding) -> str:
    shown = line(finding.cause)
    return f'<a href="#cause-{shown}">{shown}</a>' if find_cause(finding.cause) else shown


def _place(finding: Finding) -> str:
    where = line(" › ".join(filter(None, (finding.output, finding.member))))
    location = f' <span class="quiet">{line(finding.location)}</span>' if finding.location else ""
    return f'<span class="path">{where}</span>{location}'


def _alike(findings: Sequence[Finding]) -> Iterator[str]:
    others = findings[1:]
    if not others:
        return
    shown = [f"<li>{_place(finding)}</li>" for finding in others[:_MOST_ALIKE]]
    more = len(others) - len(shown)
    rest = [f"<li>and {more:,} more in report.json</li>"] if more else []
    inside = "".join(folded(count(len(others), "more place"), ["<ul>", *shown, *rest, "</ul>"]))
    yield f"<dt>alike</dt><dd>{inside}</dd>"


def _evidence(one: str, other: str) -> Iterator[str]:
    """Yield both values, with what differs between their common beginning and end marked."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    for label, style, value in (("control", "one", one), ("experiment", "other", other)):
        middle = value[start : len(value) - end]
        marked = f"{text(value[:start])}<mark>{text(middle)}</mark>{text(value[len(value) - end :])}"
        shown = marked if value else '<span class="quiet">(nothing)</span>'
        yield f'<dt>{label}</dt><dd class="value {style}">{shown}</dd>'


def _remedy(finding: Finding) -> Iterator[str]:
    remedy = finding.remedy
    if remedy is None:
        return
    state = "proved by rebuilding" if remedy.proved else "tried, not enough" if remedy.tried else "advice, not tried"
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in remedy.settings.items())
    lines = [each for each in (remedy.before, settings, remedy.after) if each]
    code = f'<pre class="wrapped">{text(chr(10).join(lines))}</pre>' if lines else ""
    good = " proved" if remedy.proved else ""
    yield f'<dt>remedy</dt><dd>{line(remedy.summary, 600)} <span class="tag{good}">{state}</span>{code}</dd>'
    if remedy.also_tried:
        yield f"<dt>in vain</dt><dd>{line('; '.join(remedy.also_tried), 600)}</dd>"


def _diff(path: str, folder: str) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_DIFF + 1)
    except OSError:
        return
    lines = data[:_MOST_DIFF].decode("utf-8", "replace").splitlines()
    cut = "\n(cut here; the rest is in the file)" if len(data) > _MOST_DIFF else ""
    body = "\n".join(map(_diff_line, lines))
    file_name = link_file(path, folder)
    yield from folded(
        f"full diff, {count(len(lines), 'line')}",
        [f'<pre class="diff" tabindex="0" aria-label="diff">{body}{cut}</pre><p class="quiet">{file_name}</p>'],
    )


def _diff_line(content: str) -> str:
    found = _SIGN.match(content)
    if not found:
        return text(content)
    return f'<span class="{"del" if found[1] == "-" else "add"}">{text(content)}</span>'
