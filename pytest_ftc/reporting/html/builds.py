"""Builds on the page: their environments and start times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from pytest_ftc.model import BuildResult, BuildStatus, Role, Verification
from pytest_ftc.reporting.html.elements import anchor, cell, count, folded, heading, line, link_file, text
from pytest_ftc.reporting.terminal.replay import replay_command

_MOST_BUILDS = 300
"""Listed builds of one artifact."""
_MOST_BARS = 2000
"""Builds drawn in the session's timeline."""
_MOST_VARIED = 3
"""Variations of a build listed by name; longer lists are shown as a number."""
_COMPARED = (Role.CONTROL.value, Role.EXPERIMENT.value)


def environments(one: Verification) -> Iterator[Markup]:
    """Yield a table of the environments of the two builds compared."""
    control, experiment = (
        next((b for b in one.builds if b.role is role), None) for role in (Role.CONTROL, Role.EXPERIMENT)
    )
    if not (control and experiment):
        return
    missed = {gap.variation: gap.reason for gap in one.not_varied}
    head = heading("variation", *_COMPARED)
    rows = [_row(name, control, experiment, missed) for name in dict.fromkeys([*control.environment, *missed])]
    begin = Markup('<div class="wide" tabindex="0"><table class="environments">')
    table = [begin, head, *rows, Markup("</table></div>")]
    yield from folded(f"Environments: {len(one.varied)} varied, {len(missed)} not", table)


def _row(name: str, control: BuildResult, experiment: BuildResult, missed: Mapping[str, str]) -> Markup:
    title = Markup('<th scope="row">{}</th>').format(line(name))
    if name in missed:
        row = Markup('<tr>{}<td colspan="2" class="quiet">not varied: {}</td></tr>')
        return row.format(title, line(missed[name]))
    values = (build.environment.get(name, "") for build in (control, experiment))
    columns = zip(_COMPARED, values, ("value one", "value other"), strict=True)
    cells = Markup().join(cell(label, line(value), style) for label, value, style in columns)
    return Markup("<tr>{}{}</tr>").format(title, cells)


def builds(one: Verification, folder: str) -> Iterator[Markup]:
    """Yield all builds of an artifact in order of their start, each with its bar on the time axis."""
    begun = sorted((build for build in one.builds if build.started), key=lambda build: build.started)
    if not begun:
        return
    begin, whole = _span(begun)
    control = next((build for build in begun if build.role is Role.CONTROL), begun[0])
    rows = [
        Markup('<div class="timeline">'),
        *(_build(b, control, begin, whole, folder) for b in begun[:_MOST_BUILDS]),
        Markup("</div>"),
    ]
    if len(begun) > _MOST_BUILDS:
        rows.append(Markup("<p>and {:,} more in report.json</p>").format(len(begun) - _MOST_BUILDS))
    commands = "\n".join(replay_command(build) for build in begun[:_MOST_BUILDS] if build.recipe)
    if commands:
        rows += folded("Replay one of them", [Markup("<pre>{}</pre>").format(text(commands))])
    when = " of an earlier session" if one.cached else ""
    yield from folded(f"Builds: {len(begun):,} in {whole:.1f} s{when}", [*rows, _legend()])


def _build(build: BuildResult, control: BuildResult, begin: float, whole: float, folder: str) -> Markup:
    failed = Markup(' <b class="failed">{}</b>').format(build.status.value)
    status = "" if build.status is BuildStatus.OK else failed
    log = Markup(" {}").format(link_file(build.log, folder, "log")) if build.log else ""
    varied = line(_describe_varied(build, control), 80)
    name = Markup('<span class="name">{}{}<small class="quiet">{}{}</small></span>')
    bar = Markup('<span class="bar">{}</span><span class="quiet">{:.2f} s</span>')
    return name.format(build.role.value, status, varied, log) + bar.format(_bar(build, begin, whole), build.seconds)


def _describe_varied(build: BuildResult, control: BuildResult) -> str:
    """Return which variations of `build` differ from the `control`'s."""
    if build is control:
        return ""
    names = [name for name, value in build.environment.items() if control.environment.get(name, value) != value]
    if not names:
        return "same as control"
    return ", ".join(names) if len(names) <= _MOST_VARIED else f"{len(names)} varied"


def timeline(verifications: Sequence[Verification]) -> Iterator[Markup]:
    """Yield the session's timeline: a row per artifact, on one time axis."""
    fresh = {one.id: (one, [b for b in one.builds if b.started]) for one in verifications if not one.cached}
    drawn = [(one, own) for one, own in fresh.values() if own]
    if not drawn:
        return
    begin, whole = _span([build for _, own in drawn for build in own])
    rows, left = [], _MOST_BARS
    for one, own in sorted(drawn, key=lambda pair: min(build.started for build in pair[1])):
        bars = Markup().join(_bar(build, begin, whole) for build in own[:left])
        left -= len(own[:left])
        rows.append(
            Markup('<a class="name" href="#{}">{}</a>').format(anchor(one), line(one.name, 60))
            + Markup('<span class="bar">{}</span><span class="quiet">{}</span>').format(bars, count(len(own), "build"))
        )
    title = f"Timeline: {count(sum(len(own) for _, own in drawn), 'build')} in {whole:.1f} s"
    body = [Markup('<div class="timeline">'), *rows, Markup("</div>"), _legend()]
    yield from folded(title, body, style="session")


def _span(drawn: Sequence[BuildResult]) -> tuple[float, float]:
    begin = min(build.started for build in drawn)
    return begin, max(max(build.started + build.seconds for build in drawn) - begin, 0.001)


def _bar(build: BuildResult, begin: float, whole: float) -> Markup:
    left, width = (100 * part / whole for part in (build.started - begin, build.seconds))
    return Markup('<i class="{}" style="left:{:.2f}%;width:{:.2f}%"></i>').format(_style(build), left, width)


def _style(build: BuildResult) -> str:
    if build.status is not BuildStatus.OK:
        return "bad"
    return build.role.value if build.role in (Role.CONTROL, Role.EXPERIMENT) else "more"


def _legend() -> Markup:
    kinds = {"control": "control", "experiment": "experiment", "more": "to explain a difference", "bad": "failed"}
    item = Markup("<span><i class={}></i>{}</span>")
    items = Markup().join(item.format(style, title) for style, title in kinds.items())
    return Markup("<p class='legend quiet'>{}</p>").format(items)
