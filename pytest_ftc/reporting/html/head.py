"""The first screen of the page: what was verified of which commit, by which causes it fails, and what to do next."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pytest_ftc.model import Remedy, Verdict, Verification
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.reporting.by_cause import CauseSummary
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.html.elements import anchor, cause_link, cell, count, heading, line
from pytest_ftc.reporting.terminal.style import SYMBOLS

_MOST_NAMED = 5
"""Artifacts named for a cause."""


def head(
    ordered: Sequence[Verification], session: Mapping[str, Any], causes: Sequence[CauseSummary]
) -> Iterator[Markup]:
    """Yield the first screen; `ordered` has the artifacts in the order of the page, `causes` what they fail by."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session["started"]))
    made = sum(len(one.builds) for one in ordered if not one.cached)
    yield Markup("<header><h1>Reproducible builds</h1>")
    spent = f"{when}, {session['seconds']:.1f} s, {count(made, 'build')}"
    yield Markup('<div class="quiet">{}, <span class="path">{}</span></div>').format(spent, line(session["root"]))
    yield from _origin(session.get("source", {}), session.get("ci", {}), session.get("shard", {}))
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
    yield from _causes(causes)
    if ordered:
        yield from _next(ordered)
    yield Markup("</header>")


def again(one: Verification) -> str:
    """Return the command that verifies an artifact again."""
    node = re.sub(r" \([0-9]+\)$", "", one.id)
    return f"pytest --ftc-verify{' --ftc-no-cache' if one.cached else ''} {shlex.quote(node)}"


def _origin(source: Mapping[str, Any], ci: Mapping[str, Any], shard: Mapping[str, Any]) -> Iterator[Markup]:
    facts = []
    if commit := source.get("commit"):
        changed = " with changes that are not committed" if source.get("dirty") else ""
        facts.append(Markup('commit <span class="path">{}</span>{}').format(line(commit[:12]), changed))
    if ci:
        run = line(f"{ci.get('service', '')} run {ci.get('run_id', '')}".strip())
        url = str(ci.get("run_url", ""))
        is_page = url.startswith(("https://", "http://"))
        facts.append(Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, run) if is_page else run)
    if shard:
        has = f"{len(shard['artifacts'])} of {shard['total']} artifacts"
        facts.append(line(f"shard {shard['number']} of {shard['count']}, with {has}"))
    if facts:
        yield Markup('<div class="quiet">{}</div>').format(Markup(", ").join(facts))


def _causes(causes: Sequence[CauseSummary]) -> Iterator[Markup]:
    """Yield a table of the causes; with one artifact, its own findings say as much."""
    if len({one.id for cause in causes for one in cause.artifacts}) < 2:
        return
    yield Markup('<table class="causes">{}').format(heading("cause", "artifacts", "findings", "remedy"))
    for one in causes:
        named = [Markup('<a href="#{}">{}</a>').format(anchor(each), line(each.name, 40)) for each in one.artifacts]
        more = [f"{len(named) - _MOST_NAMED:,} more"] if len(named) > _MOST_NAMED else []
        artifacts = Markup("{}: {}").format(f"{len(named):,}", Markup(", ").join([*named[:_MOST_NAMED], *more]))
        sure = "" if one.confirmed == len(one.findings) else f", {one.confirmed:,} confirmed"
        cells = (
            cell("artifacts", artifacts),
            cell("findings", f"{len(one.findings):,}{sure}"),
            cell("remedy", _describe_remedies(one.remedies)),
        )
        yield Markup('<tr><th scope="row">{}</th>{}</tr>').format(cause_link(one.cause), Markup().join(cells))
    yield Markup("</table>")


def _describe_remedies(remedies: Sequence[Remedy]) -> Markup:
    if not remedies:
        return Markup('<span class="quiet">none is known</span>')
    first = line(remedies[0].summary, 200)
    proved = Markup(' <span class="tag proved">proved</span>') if remedies[0].proved else ""
    more = f" and {len(remedies) - 1:,} more" if len(remedies) > 1 else ""
    return Markup("{}{}{}").format(first, proved, more)


def _next(ordered: Sequence[Verification]) -> Iterator[Markup]:
    """Yield the commands to run next; they appear once, on the first screen."""
    bad = next((one for one in ordered if not one.passed), None)
    if bad is None:
        yield Markup('<p class="next">All builds of each artifact produced the same bytes. Nothing to do.</p>')
        return
    steps = []
    if bad.verdict is Verdict.UNREPRODUCIBLE and is_declared(bad.id):
        steps.append((f"ftc determinize {shlex.quote(bad.name)}", "print the settings proved to help"))
        if sum(one.verdict is Verdict.UNREPRODUCIBLE and is_declared(one.id) for one in ordered) > 1:
            steps.append(("ftc determinize", "the same for all that are not reproducible"))
    causes = [finding.cause for finding in findings_of(bad) if find_cause(finding.cause)]
    if causes:
        steps.append((f"ftc explain {causes[0]}", "explain the cause and its remedies"))
    steps.append((again(bad), "verify again after a change"))
    row = Markup("<dt><code>{}</code></dt><dd>{}</dd>")
    rows = Markup().join(row.format(line(command), why) for command, why in steps)
    block = Markup('<div class="next"><h2>Next, for <a href="#{}">{}</a></h2><dl>{}</dl></div>')
    yield block.format(anchor(bad), line(bad.name, 80), rows)
