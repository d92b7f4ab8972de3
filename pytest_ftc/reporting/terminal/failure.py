"""The panel of a failed verification."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_ftc.model import OutputType, Role, Verdict, Verification
from pytest_ftc.model.notes import is_reference_note
from pytest_ftc.model.verification import EXPECTED
from pytest_ftc.reporting.baseline.state import Accepted
from pytest_ftc.reporting.findings import may_be_determinized
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.broken import broken_rows
from pytest_ftc.reporting.terminal.findings import finding_rows
from pytest_ftc.reporting.terminal.layout import command_row, row, row_to_copy
from pytest_ftc.reporting.terminal.paths import both_sides, relative
from pytest_ftc.reporting.terminal.replay import Rerun, find_telling_build, replay_command
from pytest_ftc.reporting.terminal.style import Page
from pytest_ftc.reporting.terminal.summary import describe_verdict, not_varied

if TYPE_CHECKING:
    from rich.text import Text


def failure_panel(
    verification: Verification, *, width: int, colour: bool, rerun: Rerun, known: Accepted = None, verbosity: int = 0
) -> str:
    """Return the panel of a failed verification; `rerun` is the command that repeats it.

    Of the findings, those that are not `known` stand first; a `verbosity` above 0 shows all.

    Lines have at most `width` cells, except for long paths, which are not broken so that they can be copied.
    """
    page = Page(max(markup.NARROWEST, width), colour, verbosity)
    again = [row(page, "owner", markup.show(verification.owner))] if verification.owner else []
    again.append(command_row(page, "again", markup.show(rerun.command)))
    if build := find_telling_build(verification):
        again.append(command_row(page, "replay", markup.show(rerun.there(replay_command(build)))))
    return layout.render_lines(page, [*_title(page, verification), *_body(page, verification, known, rerun), *again])


def _title(page: Page, verification: Verification) -> Iterator[Text]:
    from rich.text import Text

    symbol, style = markup.symbol_of(verification)
    verdict = f"{symbol} {describe_verdict(verification)}"
    name = layout.cut_middle(markup.show(verification.name), page.width)
    lines = layout.wrap(f"{verdict}  {name}{_count_outputs(verification)}", page.width)
    title = Text("\n".join(lines), style=markup.LABEL)
    title.stylize(style, 0, len(verdict))
    yield from (title, Text())


def _count_outputs(verification: Verification) -> str:
    if verification.verdict is not Verdict.UNREPRODUCIBLE:
        return ""
    differing = {difference.output for difference in verification.differences}
    # Those of other builds may have other names, which are random; folders differ only in their modes.
    files = (
        output for build in verification.builds[:1] for output in build.outputs if output.type is not OutputType.DIR
    )
    outputs = {output.path for output in files} | differing
    return f": {len(differing)} of {len(outputs)} outputs differ" if len(outputs) > 1 else ": its output differs"


def _body(page: Page, verification: Verification, known: Accepted, rerun: Rerun) -> Iterator[Text]:
    yield from _leaks(page, verification)
    if verification.verdict is Verdict.UNREPRODUCIBLE:
        yield from _unreproducible(page, verification, known, rerun)
    elif verification.verdict in EXPECTED:
        yield from _not_hermetic(page, verification)
    else:
        yield from _broken(page, verification)


def _leaks(page: Page, verification: Verification) -> Iterator[Text]:
    from rich.text import Text

    yield from (row(page, "leak", markup.show(text), most_rows=3) for text in verification.leaks)
    if verification.leaks:
        yield row(page, "next", "replace the secret, and keep it out of the outputs and logs")
        yield Text()


def _unreproducible(page: Page, verification: Verification, known: Accepted, rerun: Rerun) -> Iterator[Text]:
    from rich.text import Text

    if verification.reason:
        yield row(page, "why", markup.show_lines(verification.reason))
        yield from (row(page, "", markup.show_lines(note)) for note in verification.notes if is_reference_note(note))
        yield Text()
    yield from finding_rows(page, verification, known=known)
    yield from _next(page, verification, rerun)
    yield from _coverage(page, verification)


def _not_hermetic(page: Page, verification: Verification) -> Iterator[Text]:
    yield from (row(page, "uses", markup.show(text), most_rows=3) for text in verification.hermeticity)
    if verification.hermeticity:
        yield row(page, "next", "make it part of the source or an installed tool, or allow it: strict = false")
    yield from _coverage(page, verification)


def _broken(page: Page, verification: Verification) -> Iterator[Text]:
    from rich.text import Text

    yield from broken_rows(page, verification)
    if verification.differences or verification.findings:
        yield Text()
        yield row(page, "also", "outputs also differ with that variation disabled")
        yield from finding_rows(page, verification)
        yield from _kept(page, verification)


def _next(page: Page, verification: Verification, rerun: Rerun) -> Iterator[Text]:
    """Yield the command that combines remedies, if some can be tried; it only supports declared artifacts."""
    if may_be_determinized(verification):
        command = rerun.there(f"ftc determinize {shlex.quote(verification.name)}")
        yield command_row(page, "next", markup.show(command))


def _kept(page: Page, verification: Verification) -> Iterator[Text]:
    """Yield where both outputs are, in one line; the path of the file itself if it is the only one."""
    if kept := verification.kept:
        outputs = {difference.output for difference in verification.differences}
        alone = next(iter(outputs)) if len(outputs) == 1 and kept.find(*outputs) else ""
        yield row_to_copy(page, "outputs", markup.show(both_sides(kept, alone)))


def _coverage(page: Page, verification: Verification) -> Iterator[Text]:
    yield from not_varied(page, verification)
    yield from _kept(page, verification)
    control = next((build for build in verification.builds if build.role is Role.CONTROL), None)
    if control and control.log:
        yield row_to_copy(page, "logs", markup.show(os.path.dirname(relative(control.log)) + os.sep))  # noqa: PTH120
