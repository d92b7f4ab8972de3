"""The report as one page: it needs no network, and for what matters no JavaScript."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from pytest_ftc.model import BuildStatus, Verdict, Verification
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.html.builds import builds, environments, timeline
from pytest_ftc.reporting.html.escape import anchor, count, folded, line, link_here, text
from pytest_ftc.reporting.html.findings import Findings
from pytest_ftc.reporting.terminal.style import SYMBOLS
from pytest_ftc.reporting.terminal.summary import describe_verdict

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
"""Nothing is loaded from anywhere, whatever a build has written into its names."""

_MOST_OPENED = 30
"""Findings after which artifacts are folded, so that the page can be overlooked."""

_TOOLS = """<div class="tools" role="search" hidden>
<input type="search" id="search" aria-label="Search" aria-keyshortcuts="/"
 placeholder="Search artifacts, causes, files">
<button type="button" id="expand">Expand all</button><button type="button" id="collapse">Collapse all</button>
<p id="found" class="quiet" role="status" aria-live="polite"></p></div>"""


def to_html(
    verifications: Sequence[Verification],
    tool: Mapping[str, Any],
    session: Mapping[str, Any],
    known: frozenset[str] = frozenset(),
    folder: str = "",
) -> str:
    """Return the page; all that a build has named or written is escaped, and findings that are `known` are quiet.

    Files below `folder`, where the page will lie, are linked to.
    """
    style, script = (_read(name) for name in ("page.css", "page.js"))
    ordered = sorted(verifications, key=lambda one: one.passed)
    title = "Reproducible builds: " + (_count(verifications) or "nothing was verified")
    made_by = f"{tool['name']} {tool['version']}, Python {session['python']}, {session['platform']}"
    findings = Findings(known, folder)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{text(title)}</title><style>{style}</style></head><body>",
        *_head(ordered, session),
        _TOOLS,
        "<main>",
        *_artifacts(ordered, findings, folder),
        *timeline(verifications),
        *_glossary(verifications),
        "</main>",
        f"<footer>{text(made_by)}</footer>",
        f"<script>{script}</script></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _read(name: str) -> str:
    return files("pytest_ftc.reporting.html").joinpath(name).read_text(encoding="utf-8")


def _count(verifications: Sequence[Verification]) -> str:
    counts = Counter(one.verdict for one in verifications)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])


def _head(ordered: Sequence[Verification], session: Mapping[str, Any]) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session["started"]))
    made = sum(len(one.builds) for one in ordered if not one.cached)
    yield "<header><h1>Reproducible builds</h1>"
    spent = f"{when}, {session['seconds']:.1f} s, {count(made, 'build')}"
    yield f'<div class="quiet">{spent}, <span class="path">{line(session["root"])}</span></div>'
    yield '<ul class="counts">'
    counts = Counter(one.verdict for one in ordered)
    for verdict in (verdict for verdict in Verdict if counts[verdict]):
        first = next(one for one in ordered if one.verdict is verdict)
        label = f"{SYMBOLS[verdict][0]} {counts[verdict]} {verdict.value}"
        yield f'<li><a class="{verdict.value}" href="#{anchor(first)}">{label}</a></li>'
    if not ordered:
        yield "<li>nothing was verified</li>"
    yield "</ul>"
    if ordered:
        yield from _next(ordered)
    yield "</header>"


def _next(ordered: Sequence[Verification]) -> Iterator[str]:
    """Yield what to type next: once for the page, on its first screen."""
    bad = next((one for one in ordered if not one.passed), None)
    if bad is None:
        yield '<p class="next">All builds of each artifact left the same bytes. Nothing is to be done.</p>'
        return
    steps = []
    if bad.verdict is Verdict.UNREPRODUCIBLE and is_declared(bad.id):
        steps.append((f"ftc determinize {shlex.quote(bad.name)}", "the settings that are proved to help"))
    causes = [finding.cause for finding in findings_of(bad) if find_cause(finding.cause)]
    if causes:
        steps.append((f"ftc explain {causes[0]}", "what the cause is, and what helps"))
    steps.append((_again(bad), "verify again, after a change"))
    rows = "".join(f"<dt><code>{line(command)}</code></dt><dd>{why}</dd>" for command, why in steps)
    yield f'<div class="next"><h2>Next, for <a href="#{anchor(bad)}">{line(bad.name, 80)}</a></h2><dl>{rows}</dl></div>'


def _again(one: Verification) -> str:
    node = re.sub(r" \([0-9]+\)$", "", one.id)
    return f"pytest --ftc-verify{' --ftc-no-cache' if one.cached else ''} {shlex.quote(node)}"


def _artifacts(ordered: Sequence[Verification], findings: Findings, folder: str) -> Iterator[str]:
    for one in ordered:
        yield from _artifact(one, findings, folder, opened=not one.passed and findings.drawn < _MOST_OPENED)


def _artifact(one: Verification, findings: Findings, folder: str, *, opened: bool) -> Iterator[str]:
    asked = len(one.varied) + len(one.not_varied)
    facts = [count(len(one.builds), "build"), f"{one.seconds:.1f} s"]
    facts += [f"{len(one.varied)} of {asked} variations"] if asked else []
    facts += ["cached"] if one.cached else []
    name = anchor(one)
    yield f'<details class="artifact"{" open" * opened}><summary>'
    yield f'<span class="{one.verdict.value}">{SYMBOLS[one.verdict][0]} {text(describe_verdict(one))}</span>'
    yield f'<h2 class="name">{line(one.name)}</h2><span class="facts">{", ".join(facts)}</span></summary>'
    # A browser opens what a link points into, also without JavaScript; what it points at it only shows.
    yield f'<div class="inside" id="{name}">'
    yield f'<p class="quiet again"><code>{line(_again(one))}</code> {link_here(name, "this artifact")}</p>'
    if one.reason:
        yield f"<p>{text(one.reason[:2000])}</p>"
    yield from (f'<p class="unreproducible">leak: {line(leak)}</p>' for leak in one.leaks)
    yield from _log(one)
    yield from findings.draw(one)
    yield from environments(one)
    yield from builds(one, folder)
    yield from _remarks(one)
    yield "</div></details>"


def _log(one: Verification) -> Iterator[str]:
    broken = next((build for build in one.builds if build.status is not BuildStatus.OK and build.log_tail), None)
    if broken and one.verdict is not Verdict.UNREPRODUCIBLE:
        title = f"The last lines of the {broken.role.value} build"
        yield f'<h3>{title}</h3><pre tabindex="0" aria-label="log">{text(broken.log_tail[-8000:])}</pre>'


def _remarks(one: Verification) -> Iterator[str]:
    remarks = [*one.flaky, *one.hermeticity, *one.notes]
    if remarks:
        items = "".join(f"<li>{text(remark[:2000])}</li>" for remark in remarks)
        yield from folded(f"Notes: {len(remarks)}", [f"<ul>{items}</ul>"], style="notes")


def _glossary(verifications: Sequence[Verification]) -> Iterator[str]:
    names = dict.fromkeys(finding.cause for one in verifications for finding in findings_of(one))
    causes = [cause for name in names if (cause := find_cause(name))]
    if causes:
        yield '<section class="glossary"><h2>What the causes mean</h2>'
    for cause in causes:
        remedies = "".join(f"<li>{text(remedy)}</li>" for remedy in cause.remedies)
        yield (
            f'<section id="cause-{escape(cause.name)}"><h3>{text(cause.name)}: {text(cause.brief)}</h3>'
            f"<p>{text(cause.why)} It shows as: {text(cause.shows)}.</p><ul>{remedies}</ul>"
            f'<p class="quiet">{text(cause.source)}</p></section>'
        )
    if causes:
        yield "</section>"
