"""The output of ``ftc doctor``: a row for each variation, and facts about the machine, and about the farm it is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_ftc.model import CheckUp, Isolation, NotVaried, VariationState, Verdict
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.farm import farm_rows
from pytest_ftc.reporting.terminal.layout import row
from pytest_ftc.reporting.terminal.style import Page
from pytest_ftc.reporting.terminal.summary import permissions

if TYPE_CHECKING:
    from rich.text import Text

_COST = 8
"""Cells of the column with the cost in milliseconds."""
_WITH = ("setup and teardown", "with the calls to the farm")
_ISOLATION = {
    Isolation.USER: "unprivileged user namespaces",
    Isolation.ROOT: "namespaces created as root",
    Isolation.NONE: "none: builds run in a copy of the source tree",
}


def render_check_up(check_up: CheckUp, *, width: int, colour: bool) -> str:
    """Return the table of variations and the facts about the machine."""
    from rich.text import Text

    page = Page(max(markup.NARROWEST, width), colour)
    states = check_up.variations
    names = max(len(state.name) for state in states)
    lines: list[Text] = [line for state in states for line in _state(page, state, names)]
    lines += [Text(), *_facts(page, check_up), *permissions(page, _missed(check_up))]
    if check_up.farm:
        lines += [Text(), *farm_rows(page, check_up.farm)]
    return layout.render_lines(page, lines)


def _state(page: Page, state: VariationState, names: int) -> Iterator[Text]:
    from rich.text import Text

    symbol, style = markup.SYMBOLS[Verdict.REPRODUCIBLE if state.in_force else Verdict.ERROR]
    word = f"{symbol} {'active' if state.in_force else 'not varied'}"
    begin = f"{word:<12}  {state.name:<{names}}  {_cost(state):>{_COST}}  "
    column = len(begin)
    text, quiet = (state.mechanism, "") if state.in_force else (state.reason, markup.QUIET)
    first, *rest = layout.wrap(markup.show_lines(text), max(24, page.width - column))
    line = Text(begin + first)
    line.stylize(style, 0, len(word))
    yield line
    for more in rest:
        yield Text(" " * column + more, style=quiet)


def _missed(check_up: CheckUp) -> Iterator[NotVaried]:
    for state in check_up.variations:
        if not state.in_force:
            allow = check_up.machine.find_permission(state.reason)
            yield NotVaried(variation=state.name, reason=state.reason, allow=allow)


def _cost(state: VariationState) -> str:
    if state.milliseconds is None:
        return ""
    return f"+{state.milliseconds:.0f} ms" if state.milliseconds >= 1 else "< 1 ms"


def _facts(page: Page, check_up: CheckUp) -> Iterator[Text]:
    machine = check_up.machine
    in_force = sum(state.in_force for state in check_up.variations)
    yield row(page, "varied", f"{in_force} of {len(check_up.variations)} variations, active inside a build environment")
    why = f"; {machine.isolation_reason}" if machine.isolation_reason else ""
    yield row(page, "isolation", markup.show_lines(_ISOLATION[machine.isolation] + why))
    if not machine.fresh_proc:
        yield row(page, "/proc", markup.show_lines(f"the machine's, no new one; {machine.fresh_proc_reason}"))
    overlay = "with overlayfs" if machine.overlay else "without overlayfs"
    yield row(page, "work folder", markup.show(f"on {machine.work_filesystem or 'an unknown file system'}, {overlay}"))
    yield row(page, "clock", markup.show_lines(machine.faketime or machine.faketime_reason))
    plain = all(name.partition(".")[0] in ("C", "POSIX") for name in machine.locales)
    advice = "; a locale with its own month names and sort order finds more: install Debian's locales-all" * plain
    advice += "; et_EE, de_DE, tr_TR and ja_JP were compiled where not installed" * bool(machine.compiled_locales)
    yield row(page, "locales", markup.show(", ".join(machine.locales) + advice), most_rows=3)
    yield row(
        page,
        "cost",
        f"{check_up.control_milliseconds:.0f} ms for a control's environment, "
        f"{check_up.experiment_milliseconds:.0f} ms for an experiment's, {_WITH[check_up.farm is not None]}",
    )
