"""The report as one page: it needs no network, and for what matters no JavaScript."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_ftc.model import BuildResult, BuildStatus, Difference, Finding, Role, Verdict, Verification
from pytest_ftc.printable import printable, shorten
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import findings_of, fold
from pytest_ftc.reporting.fingerprint import fingerprint
from pytest_ftc.reporting.markup import SYMBOLS
from pytest_ftc.reporting.replay import replay_command
from pytest_ftc.reporting.summary import describe_verdict

_MOST_FINDINGS = 1000
_MOST_ALIKE = 20
"""Places of one finding that are listed."""
_MOST_DIFF = 200_000
"""Bytes of a diff that are folded in."""
_MOST_BUILDS = 100
"""Builds of an artifact that are drawn."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""Nothing is loaded from anywhere, whatever a build has written into its names."""

_SEARCH = """
const field = document.getElementById("search");
field.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const one of document.querySelectorAll("details.artifact")) {
    const text = one.textContent.toLowerCase();
    one.hidden = !words.every(word => text.includes(word));
  }
});
"""


def to_html(
    verifications: Sequence[Verification],
    tool: Mapping[str, Any],
    session: Mapping[str, Any],
    known: frozenset[str] = frozenset(),
) -> str:
    """Return the page; all that a build has named or written is escaped, and findings that are `known` are quiet."""
    style = files("pytest_ftc.reporting").joinpath("page.css").read_text(encoding="utf-8")
    ordered = sorted(verifications, key=lambda one: one.passed)
    title = "Reproducible builds: " + (_count(verifications) or "nothing was verified")
    made_by = f"{tool['name']} {tool['version']}, Python {session['python']}, {session['platform']}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{_text(title)}</title><style>{style}</style></head><body>",
        *_head(verifications, session),
        '<input type="search" id="search" placeholder="Search artifacts, causes, files" aria-label="Search" hidden>',
        "<main>",
        *(line for one in ordered for line in _artifact(one, known)),
        "</main>",
        *_glossary(verifications),
        f"<footer>{_text(made_by)}</footer>",
        f"<script>{_SEARCH}</script></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: object) -> str:
    """Return `text` for a page, harmless and with what is not printable escaped."""
    return escape(printable(str(text)))


def _line(text: object, longest: int = 400) -> str:
    return escape(shorten(str(text), longest))


def _count(verifications: Sequence[Verification]) -> str:
    counts = Counter(one.verdict for one in verifications)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])


def _head(verifications: Sequence[Verification], session: Mapping[str, Any]) -> Iterator[str]:
    counts = Counter(one.verdict for one in verifications)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session["started"]))
    builds = sum(len(one.builds) for one in verifications)
    yield "<header><h1>Reproducible builds</h1>"
    spent = f"{when}, {session['seconds']:.1f} s, {builds} builds"
    yield f'<div class="quiet">{spent}, <span class="path">{_line(session["root"])}</span></div>'
    yield '<ul class="counts">'
    for verdict in Verdict:
        if counts[verdict]:
            yield f'<li class="{verdict.value}">{SYMBOLS[verdict][0]} {counts[verdict]} {verdict.value}</li>'
    if not verifications:
        yield "<li>nothing was verified</li>"
    yield "</ul></header>"


def _artifact(one: Verification, known: frozenset[str]) -> Iterator[str]:
    opened = "" if one.passed else " open"
    asked = len(one.varied) + len(one.not_varied)
    facts = [f"{len(one.builds)} builds", f"{one.seconds:.1f} s", f"{len(one.varied)} of {asked} variations"]
    facts += ["cached"] if one.cached else []
    yield f'<details class="artifact"{opened}><summary>'
    yield f'<span class="{one.verdict.value}">{SYMBOLS[one.verdict][0]} {_text(describe_verdict(one))}</span>'
    yield f'<span class="name">{_line(one.name)}</span><span class="facts">{", ".join(facts)}</span></summary>'
    yield '<div class="inside">'
    if one.reason:
        yield f"<p>{_text(one.reason[:2000])}</p>"
    yield from (f'<p class="unreproducible">leak: {_line(text)}</p>' for text in one.leaks)
    yield from _log(one)
    yield from _findings(one, known)
    yield from _environments(one)
    yield from _timeline(one.builds)
    yield from _remarks(one)
    yield "</div></details>"


def _log(one: Verification) -> Iterator[str]:
    broken = next((build for build in one.builds if build.status is not BuildStatus.OK and build.log_tail), None)
    if broken and one.verdict is not Verdict.UNREPRODUCIBLE:
        yield f"<h3>The last lines of the {broken.role.value} build</h3><pre>{_text(broken.log_tail[-8000:])}</pre>"


def _findings(one: Verification, known: frozenset[str]) -> Iterator[str]:
    if one.verdict in (Verdict.REPRODUCIBLE, Verdict.FAILED, Verdict.ERROR):
        return
    differences = {(d.output, d.member, d.location): d for d in one.differences}
    groups = fold(findings_of(one))
    shown: set[str] = set()
    for findings in groups[:_MOST_FINDINGS]:
        yield from _finding(one, findings, differences, shown, known)
    if len(groups) > _MOST_FINDINGS:
        yield f"<p>and {len(groups) - _MOST_FINDINGS} more in report.json</p>"


def _finding(
    one: Verification,
    findings: Sequence[Finding],
    differences: Mapping[tuple[str, str, str], Difference],
    shown: set[str],
    known: frozenset[str],
) -> Iterator[str]:
    first = findings[0]
    difference = differences.get((first.output, first.member, first.location))
    is_known = all(fingerprint(one.id, finding) in known for finding in findings)
    yield f'<section class="finding{" known" if is_known else ""}">'
    sure = "confirmed" if first.confirmed else "suspected"
    cause = (
        f'<a href="#cause-{escape(first.cause)}">{_line(first.cause)}</a>'
        if find_cause(first.cause)
        else _line(first.cause)
    )
    tags = f'<span class="tag">{sure}</span>' + (' <span class="tag">known</span>' if is_known else "")
    yield f"<strong>{cause}</strong> {tags}<dl>"
    yield f'<dt>where</dt><dd><span class="path">{_place(first)}</span></dd>'
    if len(findings) > 1:
        others = "\n".join(_place(finding) for finding in findings[1 : _MOST_ALIKE + 1])
        more = f"\nand {len(findings) - 1 - _MOST_ALIKE} more" if len(findings) > _MOST_ALIKE + 1 else ""
        listed = f"<span class='path'>{others}{more}</span>"
        yield f"<dt>alike</dt><dd><details><summary>{len(findings) - 1} more places</summary>{listed}</details></dd>"
    if first.why:
        yield f"<dt>why</dt><dd>{_line(first.why, 600)}</dd>"
    if first.evidence.control or first.evidence.experiment:
        yield from _evidence(first.evidence.control, first.evidence.experiment)
    if first.command:
        yield f"<dt>command</dt><dd><code>{_line(shlex.join(first.command))}</code></dd>"
    yield from _remedy(first)
    if difference and difference.note:
        yield f"<dt>note</dt><dd>{_line(difference.note)}</dd>"
    yield "</dl>"
    if difference and difference.diff and difference.diff not in shown:
        shown.add(difference.diff)
        yield from _diff(difference.diff)
    yield "</section>"


def _place(finding: Finding) -> str:
    where = " › ".join(filter(None, (finding.output, finding.member)))
    return _line(where) + (f" <span class='quiet'>{_line(finding.location)}</span>" if finding.location else "")


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
        marked = f"{_text(value[:start])}<mark>{_text(middle)}</mark>{_text(value[len(value) - end :])}"
        yield f'<dt>{label}</dt><dd class="value {style}">{marked}</dd>'


def _remedy(finding: Finding) -> Iterator[str]:
    remedy = finding.remedy
    if remedy is None:
        return
    state = "proved by rebuilding" if remedy.proved else "tried, not enough" if remedy.tried else "advice, not tried"
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in remedy.settings.items())
    lines = [line for line in (remedy.before, settings, remedy.after) if line]
    code = f"<pre>{_text(chr(10).join(lines))}</pre>" if lines else ""
    yield f'<dt>remedy</dt><dd>{_line(remedy.summary, 600)} <span class="tag">{state}</span>{code}</dd>'


def _diff(path: str) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_DIFF + 1)
    except OSError:
        return
    lines = data[:_MOST_DIFF].decode("utf-8", "replace").splitlines()
    cut = "\n(cut here; the rest is in the file)" if len(data) > _MOST_DIFF else ""
    styles = {"-": "del", "+": "add"}
    body = "\n".join(
        f'<span class="{styles[line[0]]}">{_text(line)}</span>' if line[:1] in styles else _text(line) for line in lines
    )
    name = f'<span class="quiet path">{_line(Path(path).name)}</span>'
    yield f"<details><summary>full diff {name}</summary><pre>{body}{cut}</pre></details>"


def _environments(one: Verification) -> Iterator[str]:
    control = next((build for build in one.builds if build.role is Role.CONTROL), None)
    experiment = next((build for build in one.builds if build.role is Role.EXPERIMENT), None)
    if not (control and experiment):
        return
    missed = {gap.variation: gap.reason for gap in one.not_varied}
    names = list(dict.fromkeys([*control.environment, *missed]))
    yield f"<details><summary>Environments: {len(one.varied)} varied, {len(missed)} not</summary>"
    yield "<div class='wide'><table>"
    yield "<tr><th>variation</th><th>control</th><th>experiment</th></tr>"
    for name in names:
        if name in missed:
            yield f"<tr><td>{_line(name)}</td><td colspan='2' class='quiet'>not varied: {_line(missed[name])}</td></tr>"
        else:
            values = (build.environment.get(name, "") for build in (control, experiment))
            styled = zip(("one", "other"), values, strict=True)
            cells = "".join(f"<td class='value {style}'>{_line(value)}</td>" for style, value in styled)
            yield f"<tr><td>{_line(name)}</td>{cells}</tr>"
    yield "</table></div></details>"


def _timeline(builds: Sequence[BuildResult]) -> Iterator[str]:
    drawn = [build for build in builds if build.started][:_MOST_BUILDS]
    if not drawn:
        return
    begin = min(build.started for build in drawn)
    whole = max(max(build.started + build.seconds for build in drawn) - begin, 0.001)
    yield f"<details><summary>Builds: {len(builds)} in {whole:.1f} s</summary><div class='timeline'>"
    for build in drawn:
        left, width = (100 * part / whole for part in (build.started - begin, build.seconds))
        kind = "bad" if build.status is not BuildStatus.OK else build.role.value
        style = kind if kind in ("bad", "experiment", "control") else "more"
        title = f"{build.status.value} {build.reason}".strip()
        yield (
            f"<span class='path'>{_line(build.role.value, 40)}</span>"
            f"<span class='bar' title='{_line(title)}'>"
            f"<i class='{style}' style='left:{left:.2f}%;width:{width:.2f}%'></i></span>"
            f"<span class='quiet'>{build.seconds:.2f} s</span>"
        )
    yield "</div></details>"
    commands = "\n".join(replay_command(build) for build in builds[:_MOST_BUILDS] if build.recipe)
    if commands:
        yield f"<details><summary>Replay one of them</summary><pre>{_text(commands)}</pre></details>"


def _remarks(one: Verification) -> Iterator[str]:
    remarks = [*one.flaky, *one.hermeticity, *one.notes]
    if remarks:
        items = "".join(f"<li>{_text(text[:2000])}</li>" for text in remarks)
        yield f"<details><summary>Notes: {len(remarks)}</summary><ul>{items}</ul></details>"


def _glossary(verifications: Sequence[Verification]) -> Iterator[str]:
    names = dict.fromkeys(finding.cause for one in verifications for finding in findings_of(one))
    causes = [cause for name in names if (cause := find_cause(name))]
    if causes:
        yield "<h2>What the causes mean</h2>"
    for cause in causes:
        remedies = "".join(f"<li>{_text(remedy)}</li>" for remedy in cause.remedies)
        yield (
            f'<section id="cause-{escape(cause.name)}"><h3>{_text(cause.name)}: {_text(cause.brief)}</h3>'
            f"<p>{_text(cause.why)} It shows as: {_text(cause.shows)}.</p><ul>{remedies}</ul>"
            f'<p class="quiet">{_text(cause.source)}</p></section>'
        )
