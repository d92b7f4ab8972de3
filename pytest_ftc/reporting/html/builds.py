"""Builds on the page: in which environments they ran, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ftc.model import BuildResult, BuildStatus, Role, Verification
from pytest_ftc.reporting.html.escape import anchor, count, folded, line, link_file, text
from pytest_ftc.reporting.terminal.replay import replay_command

_MOST_BUILDS = 300
"""Builds of an artifact that are listed."""
_MOST_BARS = 2000
"""Builds that are drawn in the timeline of the session."""
_MOST_VARIED = 3
"""Variations of a build that are named; more are counted."""


def environments(one: Verification) -> Iterator[str]:
    """Yield a table of what the two builds that were compared ran in."""
    control, experiment = (
        next((b for b in one.builds if b.role is role), None) for role in (Role.CONTROL, Role.EXPERIMENT)
    )
    if not (control and experiment):
        return
    missed = {gap.variation: gap.reason for gap in one.not_varied}
    head = '<tr><th scope="col">variation</th><th scope="col">control</th><th scope="col">experiment</th></tr>'
    rows = [_row(name, control, experiment, missed) for name in dict.fromkeys([*control.environment, *missed])]
    table = ['<div class="wide" tabindex="0"><table class="environments">', head, *rows, "</table></div>"]
    yield from folded(f"Environments: {len(one.varied)} varied, {len(missed)} not", table)


def _row(name: str, control: BuildResult, experiment: BuildResult, missed: Mapping[str, str]) -> str:
    title = f'<th scope="row">{line(name)}</th>'
    if name in missed:
        return f'<tr>{title}<td colspan="2" class="quiet">not varied: {line(missed[name])}</td></tr>'
    values = (build.environment.get(name, "") for build in (control, experiment))
    styled = zip(("one", "other"), values, strict=True)
    cells = "".join(f'<td class="value {style}">{line(value)}</td>' for style, value in styled)
    return f"<tr>{title}{cells}</tr>"


def builds(one: Verification, folder: str) -> Iterator[str]:
    """Yield all builds of an artifact in the order of their start, each with its part of the time."""
    begun = sorted((build for build in one.builds if build.started), key=lambda build: build.started)
    if not begun:
        return
    begin, whole = _span(begun)
    control = next((build for build in begun if build.role is Role.CONTROL), begun[0])
    rows = [
        '<div class="timeline">',
        *(_build(b, control, begin, whole, folder) for b in begun[:_MOST_BUILDS]),
        "</div>",
    ]
    if len(begun) > _MOST_BUILDS:
        rows.append(f"<p>and {len(begun) - _MOST_BUILDS:,} more in report.json</p>")
    commands = "\n".join(replay_command(build) for build in begun[:_MOST_BUILDS] if build.recipe)
    if commands:
        rows += folded("Replay one of them", [f"<pre>{text(commands)}</pre>"])
    when = " of an earlier session" if one.cached else ""
    yield from folded(f"Builds: {len(begun):,} in {whole:.1f} s{when}", [*rows, _legend()])


def _build(build: BuildResult, control: BuildResult, begin: float, whole: float, folder: str) -> str:
    status = "" if build.status is BuildStatus.OK else f' <b class="failed">{build.status.value}</b>'
    title = f"{build.role.value}{status}"
    log = f" {link_file(build.log, folder, 'log')}" if build.log else ""
    varied = _describe_varied(build, control)
    return (
        f'<span class="name">{title}<small class="quiet">{line(varied, 80)}{log}</small></span>'
        f'<span class="bar">{_bar(build, begin, whole)}</span><span class="quiet">{build.seconds:.2f} s</span>'
    )


def _describe_varied(build: BuildResult, control: BuildResult) -> str:
    """Return in what the environment of `build` is another than that of the `control`."""
    if build is control:
        return ""
    names = [name for name, value in build.environment.items() if control.environment.get(name, value) != value]
    if not names:
        return "as the control"
    return ", ".join(names) if len(names) <= _MOST_VARIED else f"{len(names)} varied"


def timeline(verifications: Sequence[Verification]) -> Iterator[str]:
    """Yield when this session has built what: a row for each artifact, all on one axis."""
    fresh = {one.id: (one, [b for b in one.builds if b.started]) for one in verifications if not one.cached}
    drawn = [(one, own) for one, own in fresh.values() if own]
    if not drawn:
        return
    begin, whole = _span([build for _, own in drawn for build in own])
    rows, left = [], _MOST_BARS
    for one, own in sorted(drawn, key=lambda pair: min(build.started for build in pair[1])):
        bars = "".join(_bar(build, begin, whole) for build in own[:left])
        left -= len(own[:left])
        rows.append(
            f'<a class="name" href="#{anchor(one)}">{line(one.name, 60)}</a><span class="bar">{bars}</span>'
            f'<span class="quiet">{count(len(own), "build")}</span>'
        )
    title = f"Timeline: {count(sum(len(own) for _, own in drawn), 'build')} in {whole:.1f} s"
    body = ['<div class="timeline">', *rows, "</div>", _legend()]
    yield from folded(title, body, style="session")


def _span(drawn: Sequence[BuildResult]) -> tuple[float, float]:
    begin = min(build.started for build in drawn)
    return begin, max(max(build.started + build.seconds for build in drawn) - begin, 0.001)


def _bar(build: BuildResult, begin: float, whole: float) -> str:
    left, width = (100 * part / whole for part in (build.started - begin, build.seconds))
    return f'<i class="{_style(build)}" style="left:{left:.2f}%;width:{width:.2f}%"></i>'


def _style(build: BuildResult) -> str:
    if build.status is not BuildStatus.OK:
        return "bad"
    return build.role.value if build.role in (Role.CONTROL, Role.EXPERIMENT) else "more"


def _legend() -> str:
    kinds = {"control": "control", "experiment": "experiment", "more": "to explain a difference", "bad": "failed"}
    return "<p class='legend quiet'>" + "".join(f"<span><i class={s}></i>{t}</span>" for s, t in kinds.items()) + "</p>"
