"""The report as one self-contained page, readable without JavaScript."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.reporting.baseline.state import Accepted
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.html.builds import builds, environments, timeline
from pytest_ftc.reporting.html.elements import anchor, count, folded, line, link_here, text
from pytest_ftc.reporting.html.findings import Findings
from pytest_ftc.reporting.html.waterfall import waterfall
from pytest_ftc.reporting.terminal.style import SYMBOLS
from pytest_ftc.reporting.terminal.summary import describe_verdict

_POLICY = Markup(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
)
"""Forbids the browser to load anything, whatever text a build has injected."""

_MOST_OPENED = 30
"""Number of findings after which further artifacts are collapsed."""

_TOOLS = Markup("""<div class="tools" role="search" hidden>
<input type="search" id="search" aria-label="Search" aria-keyshortcuts="/"
 placeholder="Search artifacts, causes, files">
<button type="button" id="expand">Expand all</button><button type="button" id="collapse">Collapse all</button>
<p id="found" class="quiet" role="status" aria-live="polite"></p></div>""")


def to_html(
    verifications: Sequence[Verification],
    tool: Mapping[str, Any],
    session: Mapping[str, Any],
    known: Accepted = None,
    folder: str = "",
) -> str:
    """Return the page with all text from builds escaped; findings with a `known` fingerprint are dimmed.

    `folder` is where the page will be written: files below it are linked.
    """
    style, script = (_read(name) for name in ("page.css", "page.js"))
    ordered = sorted(verifications, key=lambda one: one.passed)
    title = "Reproducible builds: " + (_count(verifications) or "nothing was verified")
    made_by = f"{tool['name']} {tool['version']}, Python {session['python']}, {session['platform']}"
    made_by += f", trace {session['trace_id']}" if "trace_id" in session else ""
    findings = Findings(known, folder)
    parts = [
        Markup("<!doctype html>"),
        Markup('<html lang="en"><head><meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta http-equiv="Content-Security-Policy" content="{}">').format(_POLICY),
        Markup("<title>{}</title><style>{}</style></head><body>").format(text(title), style),
        *_head(ordered, session),
        _TOOLS,
        Markup("<main>"),
        *_artifacts(ordered, findings, folder),
        *timeline(verifications),
        *_glossary(verifications),
        Markup("</main>"),
        Markup("<footer>{}</footer>").format(text(made_by)),
        Markup("<script>{}</script></body></html>").format(script),
    ]
    return str(Markup("\n").join(parts)) + "\n"


def _read(name: str) -> Markup:
    """Return a file of this package as markup."""
    return Markup(files("pytest_ftc.reporting.html").joinpath(name).read_text(encoding="utf-8"))


def _count(verifications: Sequence[Verification]) -> str:
    counts = Counter(one.verdict for one in verifications)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])


def _head(ordered: Sequence[Verification], session: Mapping[str, Any]) -> Iterator[Markup]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session["started"]))
    made = sum(len(one.builds) for one in ordered if not one.cached)
    yield Markup("<header><h1>Reproducible builds</h1>")
    spent = f"{when}, {session['seconds']:.1f} s, {count(made, 'build')}"
    yield Markup('<div class="quiet">{}, <span class="path">{}</span></div>').format(spent, line(session["root"]))
    yield Markup('<ul class="counts">')
    counts = Counter(one.verdict for one in ordered)
    for verdict in (verdict for verdict in Verdict if counts[verdict]):
        first = next(one for one in ordered if one.verdict is verdict)
        label = f"{SYMBOLS[verdict][0]} {counts[verdict]} {verdict.value}"
        item = Markup('<li><a class="{}" href="#{}">{}</a></li>')
        yield item.format(verdict.value, anchor(first), label)
    if not ordered:
        yield Markup("<li>nothing was verified</li>")
    yield Markup("</ul>")
    if ordered:
        yield from _next(ordered)
    yield Markup("</header>")


def _next(ordered: Sequence[Verification]) -> Iterator[Markup]:
    """Yield the commands to run next; they appear once, on the first screen."""
    bad = next((one for one in ordered if not one.passed), None)
    if bad is None:
        yield Markup('<p class="next">All builds of each artifact produced the same bytes. Nothing to do.</p>')
        return
    steps = []
    if bad.verdict is Verdict.UNREPRODUCIBLE and is_declared(bad.id):
        steps.append((f"ftc determinize {shlex.quote(bad.name)}", "print the settings proved to help"))
    causes = [finding.cause for finding in findings_of(bad) if find_cause(finding.cause)]
    if causes:
        steps.append((f"ftc explain {causes[0]}", "explain the cause and its remedies"))
    steps.append((_again(bad), "verify again after a change"))
    row = Markup("<dt><code>{}</code></dt><dd>{}</dd>")
    rows = Markup().join(row.format(line(command), why) for command, why in steps)
    block = Markup('<div class="next"><h2>Next, for <a href="#{}">{}</a></h2><dl>{}</dl></div>')
    yield block.format(anchor(bad), line(bad.name, 80), rows)


def _again(one: Verification) -> str:
    node = re.sub(r" \([0-9]+\)$", "", one.id)
    return f"pytest --ftc-verify{' --ftc-no-cache' if one.cached else ''} {shlex.quote(node)}"


def _artifacts(ordered: Sequence[Verification], findings: Findings, folder: str) -> Iterator[Markup]:
    for one in ordered:
        yield from _artifact(one, findings, folder, opened=not one.passed and findings.drawn < _MOST_OPENED)


def _artifact(one: Verification, findings: Findings, folder: str, *, opened: bool) -> Iterator[Markup]:
    asked = len(one.varied) + len(one.not_varied)
    facts = [count(len(one.builds), "build"), f"{one.seconds:.1f} s"]
    facts += [f"{len(one.varied)} of {asked} variations"] if asked else []
    facts += ["cached"] if one.cached else []
    name = anchor(one)
    yield Markup('<details class="artifact"{}><summary>').format(" open" * opened)
    verdict = Markup('<span class="{}">{} {}</span>')
    yield verdict.format(one.verdict.value, SYMBOLS[one.verdict][0], text(describe_verdict(one)))
    head = Markup('<h2 class="name">{}</h2><span class="facts">{}</span></summary>')
    yield head.format(line(one.name), ", ".join(facts))
    # A browser expands <details> for a link to an element inside it, even without JavaScript, but not for a link to it.
    yield Markup('<div class="inside" id="{}">').format(name)
    again = Markup('<p class="quiet again"><code>{}</code> {}</p>')
    yield again.format(line(_again(one)), link_here(name, "this artifact"))
    if one.reason:
        yield Markup("<p>{}</p>").format(text(one.reason[:2000]))
    yield from (Markup('<p class="unreproducible">leak: {}</p>').format(line(leak)) for leak in one.leaks)
    yield from _log(one)
    yield from findings.draw(one)
    yield from environments(one)
    yield from builds(one, folder)
    yield from waterfall(one)
    yield from _remarks(one)
    yield Markup("</div></details>")


def _log(one: Verification) -> Iterator[Markup]:
    broken = one.broken
    if broken and broken.log_tail and one.verdict is not Verdict.UNREPRODUCIBLE:
        title = f"Last lines of the {broken.role.value} build"
        block = Markup('<h3>{}</h3><pre tabindex="0" aria-label="log">{}</pre>')
        yield block.format(title, text(broken.log_tail[-8000:]))


def _remarks(one: Verification) -> Iterator[Markup]:
    remarks = [*one.flaky, *one.hermeticity, *one.notes]
    if remarks:
        items = Markup().join(Markup("<li>{}</li>").format(text(remark[:2000])) for remark in remarks)
        yield from folded(f"Notes: {len(remarks)}", [Markup("<ul>{}</ul>").format(items)], style="notes")


def _glossary(verifications: Sequence[Verification]) -> Iterator[Markup]:
    names = dict.fromkeys(finding.cause for one in verifications for finding in findings_of(one))
    causes = [cause for name in names if (cause := find_cause(name))]
    if causes:
        yield Markup('<section class="glossary"><h2>What the causes mean</h2>')
    for cause in causes:
        remedies = Markup().join(Markup("<li>{}</li>").format(text(remedy)) for remedy in cause.remedies)
        yield Markup('<section id="cause-{0}"><h3>{0}: {1}</h3>').format(cause.name, cause.brief)
        yield Markup("<p>{} Seen as: {}.</p><ul>{}</ul>").format(cause.why, cause.shows, remedies)
        yield Markup('<p class="quiet">{}</p></section>').format(cause.source)
    if causes:
        yield Markup("</section>")
