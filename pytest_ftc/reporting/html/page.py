"""The report as one self-contained page, readable without JavaScript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeAlias

from markupsafe import Markup

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.reporting.baseline.state import Accepted
from pytest_ftc.reporting.by_cause import group_by_cause
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.html.builds import builds, environments, timeline
from pytest_ftc.reporting.html.elements import anchor, count, folded, line, link_here, text
from pytest_ftc.reporting.html.findings import Findings
from pytest_ftc.reporting.html.head import again, head
from pytest_ftc.reporting.html.tools import tools
from pytest_ftc.reporting.html.trend import trend
from pytest_ftc.reporting.html.waterfall import waterfall
from pytest_ftc.reporting.terminal.style import SYMBOLS
from pytest_ftc.reporting.terminal.summary import describe_verdict
from pytest_ftc.reporting.terminal.trend import TrendPoint

_POLICY = Markup(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
)
"""Forbids the browser to load anything, whatever text a build has injected."""

Trends: TypeAlias = Mapping[str, Sequence[TrendPoint]]
"""By artifact."""

_MOST_OPENED = 30
"""Number of findings after which further artifacts are collapsed."""


def to_html(
    verifications: Sequence[Verification],
    tool: Mapping[str, Any],
    session: Mapping[str, Any],
    known: Accepted = None,
    folder: str = "",
    trends: Trends | None = None,
) -> str:
    """Return the page with all text from builds escaped; findings with a `known` fingerprint are dimmed.

    `folder` is where the page will be written: files below it are linked.  `trends` are the sessions of each artifact.
    """
    style, script = (_read(name) for name in ("page.css", "page.js"))
    ordered = sorted(verifications, key=lambda one: one.passed)
    title = "Reproducible builds: " + (_count(verifications) or "nothing was verified")
    made_by = f"{tool['name']} {tool['version']}, Python {session['python']}, {session['platform']}"
    made_by += f", trace {session['trace_id']}" if "trace_id" in session else ""
    findings = Findings(known, folder)
    causes = group_by_cause(ordered)
    parts = [
        Markup("<!doctype html>"),
        Markup('<html lang="en"><head><meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta http-equiv="Content-Security-Policy" content="{}">').format(_POLICY),
        Markup("<title>{}</title><style>{}</style></head><body>").format(text(title), style),
        *head(ordered, session, causes),
        *tools(ordered, causes, has_baseline=known is not None),
        Markup("<main>"),
        *_artifacts(ordered, findings, folder, trends or {}),
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


def _artifacts(ordered: Sequence[Verification], findings: Findings, folder: str, trends: Trends) -> Iterator[Markup]:
    for one in ordered:
        opened = not one.passed and findings.drawn < _MOST_OPENED
        yield from _artifact(one, findings, folder, trends.get(one.id, ()), opened=opened)


def _artifact(
    one: Verification, findings: Findings, folder: str, points: Sequence[TrendPoint], *, opened: bool
) -> Iterator[Markup]:
    asked = len(one.varied) + len(one.not_varied)
    facts = [count(len(one.builds), "build"), f"{one.seconds:.1f} s"]
    facts += [f"{len(one.varied)} of {asked} variations"] if asked else []
    facts += ["cached"] if one.cached else []
    name = anchor(one)
    opening = Markup('<details class="artifact" data-verdict="{}"{}><summary>')
    yield opening.format(one.verdict.value, " open" * opened)
    verdict = Markup('<span class="{}">{} {}</span>')
    yield verdict.format(one.verdict.value, SYMBOLS[one.verdict][0], text(describe_verdict(one)))
    title = Markup('<h2 class="name">{}</h2><span class="facts">{}</span></summary>')
    yield title.format(line(one.name), ", ".join(facts))
    # A browser expands <details> for a link to an element inside it, even without JavaScript, but not for a link to it.
    yield Markup('<div class="inside" id="{}">').format(name)
    command = Markup('<p class="quiet again"><code>{}</code> {}</p>')
    yield command.format(line(again(one)), link_here(name, "this artifact"))
    if one.reason:
        yield Markup("<p>{}</p>").format(text(one.reason[:2000]))
    yield from (Markup('<p class="unreproducible">leak: {}</p>').format(line(leak)) for leak in one.leaks)
    yield from trend(points)
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
