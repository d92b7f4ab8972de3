"""The result of a replay: whether the build repeated its earlier result."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ftc.model import (
    Action,
    BuildResult,
    BuildStatus,
    Difference,
    Output,
    OutputType,
    Replayed,
    Role,
    Verification,
)
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.layout import command_row, row, row_to_copy
from pytest_ftc.reporting.terminal.log import boxed, tail_rows
from pytest_ftc.reporting.terminal.paths import relative
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Rerun", "find_telling_build", "greeting", "replay_command", "replay_panel"]

SAME, DIFFERS = "same as before", "differs from before"
_MOST_OUTPUTS = 20
_LOG_LINES = {BuildStatus.OK: 8}
"""Lines of the log to show, by the status of the build; `_MOST_LOG_LINES` for other statuses."""
_MOST_LOG_LINES = 40


@dataclass(frozen=True, slots=True)
class Rerun:
    """How the user repeats what failed."""

    command: str
    folder: str = "."
    """The project's, where other commands find the artifact."""

    def there(self, command: str) -> str:
        """Return `command` as one that also goes to the folder, if that is another one than the current."""
        return command if self.folder == "." else f"cd {shlex.quote(self.folder)} && {command}"


def replay_command(build: BuildResult) -> str:
    """Return the command that runs `build` again."""
    return f"pytest --ftc-replay={build.id}"


def find_telling_build(verification: Verification) -> BuildResult | None:
    """Return the most informative build; None if it has no recipe for a replay.

    That is the first that failed without a change by the diagnosis, else the first experiment that differs from the
    control, else the control.
    """
    builds = verification.builds
    varied = [build for build in builds if build.role is Role.EXPERIMENT]
    other = next((build for build in varied if build.outputs != builds[0].outputs), None)
    found = verification.broken or other or next(iter(builds), None)
    return found if found and found.recipe else None


def replay_panel(replayed: Replayed, *, width: int, colour: bool, again: str) -> str:
    """Return the panel of a replay; `again` is the command that repeats it."""
    from rich.text import Text

    page = Page(max(markup.NARROWEST, width), colour)
    symbol, word, style = _judge(replayed)
    verdict = f"{symbol} {word}"
    title = Text("\n".join(layout.wrap(f"{verdict}  {markup.show(replayed.then.id)}", page.width)), style=markup.LABEL)
    title.stylize(style, 0, len(verdict))
    return layout.render_lines(
        page, [title, Text(), *_body(page, replayed), command_row(page, "again", markup.show(again))]
    )


def _judge(replayed: Replayed) -> tuple[str, str, str]:
    if replayed.shell and replayed.is_comparable:
        return "✔", "entered", "green"
    if not replayed.is_comparable:
        return "!", "nothing to compare", "bold yellow"
    return ("✔", SAME, "green") if replayed.same else ("✘", DIFFERS, "bold red")


def _body(page: Page, replayed: Replayed) -> Iterator[Text]:
    then, now = replayed.then, replayed.now
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(then.started))
    yield row(page, "before", f"{when}: {_describe_end(then)}")
    if not replayed.shell or now.status is BuildStatus.LOST:
        yield row(page, "now", _describe_end(now))
    yield from (row(page, "leak", markup.show(text), most_rows=3) for text in replayed.leaks)
    if replayed.is_comparable:
        yield from _outputs(page, replayed)
    yield row(page, "sources", markup.show(replayed.sources) or "as before")
    if replayed.clock is not None:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(replayed.clock))
        yield row(page, "clock", f"started at {began} UTC, as before")
    for number, gap in enumerate(replayed.gaps):
        yield row(page, "" if number else "changed", markup.show_lines(gap), most_rows=6)
    yield from (row(page, "note", markup.show_lines(note)) for note in now.notes)
    if replayed.differences and not replayed.shell:
        yield row(page, "next", "a replay does not repeat file times, process order or random values")
    if not replayed.shell:
        yield from _log(page, now)
    if replayed.kept:
        yield row_to_copy(page, "kept", markup.show(replayed.kept + os.sep))


def _describe_end(build: BuildResult) -> str:
    end = f"{build.status.value} after {build.seconds:.1f} s" if build.seconds else build.status.value
    return f"{end}: {markup.show_lines(build.reason)}" if build.reason else end


def _outputs(page: Page, replayed: Replayed) -> Iterator[Text]:
    """Yield each output with its digest, differing ones first."""
    then = {output.path: output for output in replayed.then.outputs}
    now = {output.path: output for output in replayed.now.outputs}
    if not now and (not then or replayed.shell):
        return
    differing: dict[str, list[Difference]] = {}
    for difference in replayed.differences:
        differing.setdefault(difference.output, []).append(difference)
    paths = sorted(then.keys() | now.keys(), key=lambda path: (path not in differing, path))
    for path in paths[:_MOST_OUTPUTS]:
        differences = differing.get(path, [])
        state = DIFFERS if differences else SAME
        yield row(page, "output", f"{markup.show(path)}: {state}", style="" if state == SAME else markup.LABEL)
        yield from (row(page, "", line) for line in _values(then.get(path), now.get(path), differences))
    if len(paths) > _MOST_OUTPUTS:
        left = [path for path in paths[_MOST_OUTPUTS:] if path in differing]
        which = f"{len(left)} of them differ from before" if left else "all the same as before"
        yield row(page, "more", f"and {len(paths) - _MOST_OUTPUTS} more outputs, {which}")


def _values(then: Output | None, now: Output | None, differences: list[Difference]) -> Iterator[str]:
    if not differences and now:
        yield from _value(now)
    if differences:
        for when, output in (("before", then), ("now", now)):
            first, *rest = _value(output) if output else ("missing",)
            yield f"{when}: {first}"
            yield from rest


def _value(output: Output) -> tuple[str, ...]:
    """Return the description of an output; a digest gets a separate line, so that it can be copied."""
    if output.type is OutputType.FILE:
        return f"{output.size} bytes, mode {output.mode}, sha256", output.sha256
    link = output.type is OutputType.SYMLINK
    return (f"link to {markup.show(output.target)}" if link else f"folder, mode {output.mode}",)


def _log(page: Page, now: BuildResult) -> Iterator[Text]:
    rows = tail_rows(page, now.log_tail, _LOG_LINES.get(now.status, _MOST_LOG_LINES))
    yield row(page, "log", "last lines" if rows else "empty")
    yield from boxed(rows)
    if now.log:
        yield row_to_copy(page, "full log", markup.show(relative(now.log)))


def greeting(then: BuildResult, action: Action, run: str) -> str:
    """Return the text shown on entering the environment of a build; `run` is the command that runs the build."""
    values = [f"  {name:<12}  {markup.show(value)}" for name, value in then.environment.items() if name != "exec_path"]
    lines = [
        "",
        f"In the environment of {then.id}:",
        *values,
        "",
        f"Build command: {markup.show(shlex.join(action.command))}",
        f"{run} runs it; exit leaves this shell.",
        "",
    ]
    return "\n".join(lines) + "\n"
