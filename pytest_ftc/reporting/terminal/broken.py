"""Failed and fragile builds: the reason, the end of the log, and what to do."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_ftc.model import BuildResult, BuildStatus, Role, Verdict, Verification
from pytest_ftc.model.notes import is_socket_note
from pytest_ftc.model.verification import BREAKS_THE_BUILD
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.layout import row, row_of_items, row_to_copy
from pytest_ftc.reporting.terminal.log import boxed, tail_rows
from pytest_ftc.reporting.terminal.paths import relative
from pytest_ftc.reporting.terminal.style import Page
from pytest_ftc.reporting.terminal.summary import not_varied

if TYPE_CHECKING:
    from rich.text import Text

_SCREEN = 24
"""Lines of the first screen."""
_LOG_LINES = (8, 15)
"""Fewest and most lines of the log to show."""
_VALUE_WIDTH = 36
"""Cells for the value of one variation in a list."""

_NOT_FOUND = "command not found: "
"""Begins the reason why a command that is a list does not start."""
_OF_PROJECT = re.compile(r"(?:^|[ :])(\./[^\s:]+): (?:not found|No such file or directory)", re.MULTILINE)
"""A command of the project itself that a shell did not find."""
_HIDDEN = re.compile(r"(/tmp|/var/tmp|/dev/shm)/[^\s:'\"]+")
"""A file below a folder that is private to each build."""


def broken_rows(page: Page, verification: Verification) -> Iterator[Text]:
    """Yield the reason and the log, which fills the rest of the first screen."""
    build = verification.broken
    reason = _reason_lines(verification, build)
    why = [row(page, "" if number else "why", line, most_rows=6) for number, line in enumerate(reason)]
    rest = list(_circumstances(page, verification, build))
    yield from why
    if build:
        taken = sum(text.plain.count("\n") + 1 for text in (*why, *rest))
        yield from _log(page, build, _SCREEN - taken - 4)
    yield from rest


def _reason_lines(verification: Verification, build: BuildResult | None) -> list[str]:
    lines = [markup.show(line.rstrip()) for line in verification.reason.split("\n") if line.strip()]
    code = build.exit_code if build else None
    if code is not None and code > 0 and str(code) not in verification.reason:
        lines.append(f"exit status {code}")
    return lines[:5] + (["…"] if len(lines) > 6 else []) + lines[5:][-1:]


def _log(page: Page, build: BuildResult, most: int) -> Iterator[Text]:
    least, longest = _LOG_LINES
    rows = tail_rows(page, build.log_tail, min(longest, max(least, most)))
    if rows:
        yield row(page, "log", f"last lines of the {build.role.value} build")
        yield from boxed(rows)


def _circumstances(page: Page, verification: Verification, build: BuildResult | None) -> Iterator[Text]:
    if build and build.log:
        yield row_to_copy(page, "full log", markup.show(relative(build.log)))
    if verification.verdict is Verdict.FRAGILE and build and not _was_bisected(verification):
        yield row_of_items(page, "varied", [_varied_value(build, name) for name in verification.varied])
    if verification.verdict is not Verdict.FAILED:
        yield from not_varied(page, verification)
    yield row(page, "next", _hint(verification, build))


def _was_bisected(verification: Verification) -> bool:
    """Return whether builds were made to find which variation breaks the build; the reason then names it."""
    return any(build.role is Role.BISECT for build in verification.builds)


def _varied_value(build: BuildResult, name: str) -> str:
    value = build.environment.get(name, "")
    return f"{markup.show(name)} {layout.cut_middle(markup.show(value), _VALUE_WIDTH)}".rstrip()


def _hint(verification: Verification, build: BuildResult | None) -> str:
    verdict = verification.verdict
    if build and build.status is BuildStatus.TIMEOUT:
        return "if the build needs more time, increase the artifact's timeout"
    if build and (hidden := next(filter(is_socket_note, build.notes), "")):
        return markup.show(hidden)
    if verdict is Verdict.FRAGILE:
        return _how_to_tolerate([one.variation for one in verification.not_varied if one.reason == BREAKS_THE_BUILD])
    if verdict is Verdict.ERROR:
        return "infrastructure error, the result is inconclusive: fix it and verify again"
    if build and build.exit_code == 0:
        return "check the artifact's outputs: globs relative to its source folder"
    if build and os.strerror(errno.EROFS) in build.log_tail:
        return "a build can write only below its source folder, its home folder and its temporary folder"
    if build and (build.exit_code == 127 or build.reason.startswith(_NOT_FOUND)):
        if place := _HIDDEN.search(build.log_tail):
            return (
                f"each build has its own {place[1]}, so {markup.show(place[0])} does not exist there: "
                "add its folder to PATH, which makes it visible to builds, or install it elsewhere"
            )
        if own := _OF_PROJECT.search(build.log_tail):
            return (
                f"{markup.show(own[1])} is not among the sources, as builds see no git-ignored files: "
                "make it in the build, as autoreconf -i does configure"
            )
        return "a command was not found: install it, or add its folder to PATH"
    return "builds see no git-ignored files, no empty folders, and only the variables listed in env and pass_env"


def _how_to_tolerate(names: list[str]) -> str:
    exclude = f"exclude it: --ftc-variations=all,{','.join(f'-{markup.show(name)}' for name in names or ['NAME'])}"
    cause = find_cause(names[0]) if len(names) == 1 else None
    return (
        f"{cause.tolerate}; or {exclude}" if cause and cause.tolerate else f"make the build tolerate it, or {exclude}"
    )
