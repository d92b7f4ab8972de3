"""The output of ``ftc store`` and ``ftc history``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_ftc.model import BuildRecord, Removed, Soundness, Stats, Verdict
from pytest_ftc.model.store import TierUse
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.layout import row
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_SHOWN = 11
"""Number of characters of a digest to show."""


def render_rows(rows: Sequence[tuple[str, str]], *, width: int, colour: bool) -> str:
    """Render labels and texts in two columns."""
    page = Page(max(markup.NARROWEST, width), colour)
    return layout.render_lines(
        page, [row(page, shorten(label), markup.show_lines(text), most_rows=20) for label, text in rows]
    )


def describe_stats(stats: Stats) -> list[tuple[str, str]]:
    """Return the rows of ``ftc store stats``."""
    return [
        ("holds", f"{counted(stats.entries, 'verification')} ({show_size(stats.entry_bytes)})"),
        ("outputs", f"{stats.blobs} ({show_size(stats.blob_bytes)})"),
        ("history", counted(stats.builds, "build")),
        ("quarantine", counted(stats.quarantined, "file")),
        *([("evicted", counted(stats.evicted, "verification"))] if stats.evicted else []),
        ("in use by", counted(stats.sessions, "session")),
        *([("asked for", describe_use(stats.use))] if stats.use.asked else []),
    ]


def describe_use(use: TierUse) -> str:
    """Return how a local and a remote store were used, in one line."""
    hits = f"{use.local} here, {use.remote} in the remote store, {use.neither} in neither"
    moved = f"{show_size(use.received.bytes)} received, {show_size(use.sent.bytes)} sent"
    return f"{counted(use.asked, 'verdict')}: {hits}; {moved}"


def describe_soundness(found: Soundness) -> list[tuple[str, str]]:
    """Return the rows of ``ftc store verify``."""
    faults = [
        *(("corrupt", f"{name}: corrupt; moved to quarantine") for name in found.corrupt),
        *(("refused", f"{name}: not authentic; moved to quarantine") for name in found.refused),
        *(("history", text) for text in found.history),
    ]
    lacking = f"outputs of {counted(len(found.lacking), 'verification')} are missing; their verdicts are still valid"
    read = f"{counted(found.entries, 'verification')} and {counted(found.blobs, 'output')} read"
    faulty = counted(len(faults), "fault") if faults else "no fault"
    return [*faults, *([("note", lacking)] if found.lacking else []), ("verified", f"{read}, {faulty}")]


def describe_removed(removed: Removed) -> list[tuple[str, str]]:
    """Return the rows of ``ftc store gc``."""
    what = [(removed.entries, "verification"), (removed.blobs, "output"), (removed.parts, "leftover")]
    return [("removed", f"{', '.join(counted(*item) for item in what)}: {show_size(removed.bytes)}")]


def show_size(size: int) -> str:
    """Return `size` in bytes with a suitable unit."""
    number, unit = float(size), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{size} bytes" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def counted(number: int, thing: str) -> str:
    """Return `number` with the name of the `thing`, in the plural if there are several."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def render_history(name: str, builds: Sequence[BuildRecord], *, width: int, colour: bool) -> str:
    """Render the builds of one artifact, grouped by session, newest first."""
    page = Page(max(markup.NARROWEST, width), colour)
    lines = [line for _, group in groupby(builds, lambda one: one.session) for line in _session(page, list(group))]
    digests = {build.digest for build in builds if build.digest}
    machines, days = {build.machine for build in builds}, {int(build.started // 86400) for build in builds}
    outcome = f"{counted(len(digests), 'outcome')} in {counted(len(builds), 'build')}"
    where = f"on {counted(len(machines), 'machine')} over {counted(len(days), 'day')}"
    lines.append(row(page, markup.show(shorten(name, 12)), f"{outcome} {where}"))
    return layout.render_lines(page, lines)


def _session(page: Page, builds: list[BuildRecord]) -> Iterator[Text]:
    from rich.text import Text

    first = min(builds, key=lambda build: build.started)
    symbol, style = markup.SYMBOLS[Verdict(first.verdict)]
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(first.started))
    line = Text(f"{symbol} {first.verdict}", style=style)
    who = markup.show(shorten(f"{first.user} on {first.machine}", 40))
    line.append(f"  {when}  {who}  {counted(len(builds), 'build')}", style="")
    yield line
    by_digest: dict[str, list[str]] = {}
    for build in reversed(builds):
        by_digest.setdefault(build.digest, []).append(build.role)
    for digest, roles in by_digest.items():
        yield row(page, digest[:_SHOWN] or "failed", ", ".join(roles))
