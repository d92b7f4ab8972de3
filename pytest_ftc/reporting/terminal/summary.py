"""The summary: one line per artifact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ftc.model import NotVaried, Verdict, Verification
from pytest_ftc.model.notes import BUILT_AGAIN, FLAKY, REQUIREMENTS, join_unlisted
from pytest_ftc.model.timing.work import count_work
from pytest_ftc.model.verification import EXPECTED
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.layout import row
from pytest_ftc.reporting.terminal.phases import describe_work, phase_bars
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text


_MOST_LISTED = 12
"""Most artifacts to list in a session that is not verbose; pytest lists those that fail."""
_MOST_ROWS = 20
"""Most lines of one text: enough for a reason with its advice, or a traceback."""


def summary_lines(verifications: Sequence[Verification], *, width: int, colour: bool, verbose: bool) -> str:
    """Return one line per artifact, notes, what was not varied, the builds, and the number of each verdict.

    Many artifacts are listed only if `verbose`.
    What was varied is told where a verdict is bad.  If `verbose`, it always is, with where the time went.
    """
    page = Page(max(markup.NARROWEST, width), colour)
    listed = verbose or len(verifications) <= _MOST_LISTED
    lines = [*_table(page, verifications)] if listed else []
    again = [(note.removeprefix(BUILT_AGAIN), "", entry) for entry in verifications for note in entry.rebuilt]
    lines += each_once(page, "built again", again, verifications)
    notes = [(note, "", one) for one in verifications for note in _notes(one, verbose=verbose)]
    lines += each_once(page, "note", notes, verifications)
    within = [(one.reason, "", one) for one in verifications if one.verdict is Verdict.EQUIVALENT]
    lines += each_once(page, "equivalent", within, verifications)
    leaks = [(text, "", entry) for entry in verifications for text in entry.leaks]
    lines += each_once(page, "leak", leaks, verifications)
    uses = [(text, "", entry) for entry in verifications for text in entry.hermeticity]
    lines += each_once(page, "uses", uses, verifications)
    flaky = [(text.removeprefix(FLAKY), "", entry) for entry in verifications for text in entry.flaky]
    lines += each_once(page, "flaky", flaky, verifications)
    agreements = [(text, "", entry) for entry in verifications if (text := _agreement(entry))]
    lines += each_once(page, "agrees with", agreements, verifications)
    if verbose or not all(entry.passed for entry in verifications):
        lines += _varied(page, [entry for entry in verifications if entry.varied])
    missed = [(gap, entry) for entry in verifications for gap in entry.not_varied]
    lines += each_once(page, "not varied", _with_reasons(missed), verifications)
    lines += permissions(page, [gap for entry in verifications for gap in entry.not_varied])
    if verbose:
        lines += phase_bars(page, verifications)
        lines += [row(page, "trace", trace) for trace in dict.fromkeys(one.trace_id for one in verifications) if trace]
    if verifications:
        lines.append(row(page, "builds", describe_work(count_work(verifications))))
    if len(verifications) > 1:
        lines.append(row(page, "total", _count_verdicts(verifications) + ("" if listed else " (-v lists them)")))
    return layout.render_lines(page, lines)


def _notes(verification: Verification, *, verbose: bool) -> Sequence[str]:
    notes = [note for note in verification.notes if note not in verification.rebuilt]
    return notes if verbose else join_unlisted(note for note in notes if not note.startswith(REQUIREMENTS))


def permissions(page: Page, missed: Iterable[NotVaried]) -> Iterator[Text]:
    """Yield what would allow the variations that were `missed`, each command or setting once."""
    allowed: dict[str, dict[str, None]] = {}
    for gap in missed:
        if gap.allow:
            allowed.setdefault(gap.allow, {})[gap.variation] = None
    for command, names in allowed.items():
        yield row(page, "to vary", markup.show_lines(f"{', '.join(names)}: {command}"), most_rows=_MOST_ROWS)


def not_varied(page: Page, verification: Verification) -> Iterator[Text]:
    """Yield the variations that were not applied, with the reasons.

    What the machine can be made to allow is so for every artifact, and the summary of the session has it.
    """
    missed = [(gap, verification) for gap in verification.not_varied if not gap.allow]
    yield from each_once(page, "not varied", _with_reasons(missed), [verification])


def _with_reasons(missed: Sequence[tuple[NotVaried, Verification]]) -> list[tuple[str, str, Verification]]:
    """Return the variations `missed`, each with its reason: only what they have in common, where several need it."""
    common = Counter(common for _, common in {(gap.variation, _common_part(gap.reason)) for gap, _ in missed})
    return [
        (part if common[part := _common_part(gap.reason)] > 1 else gap.reason, gap.variation, one)
        for gap, one in missed
    ]


def _common_part(reason: str) -> str:
    """Return `reason` without the facility that one variation needs: ``needs a UTS namespace: ...``."""
    needed, _, why = reason.partition(": ")
    return why if needed.startswith("needs ") and why else reason


def describe_verdict(verification: Verification) -> str:
    """Return the word for the verdict, with other violated requirements."""
    strict = verification.verdict in EXPECTED and verification.strict and bool(verification.hermeticity)
    return verification.verdict.value + ", leaks a secret" * bool(verification.leaks) + ", not hermetic" * strict


def each_once(
    page: Page, label: str, entries: Sequence[tuple[str, str, Verification]], all_: Sequence[Verification]
) -> Iterator[Text]:
    """Yield each text once, with its variations and, unless it applies to all of `all_`, its artifacts."""
    texts: dict[str, tuple[dict[str, None], dict[str, str]]] = {}
    for text, variation, verification in entries:
        variations, owners = texts.setdefault(text, ({}, {}))
        variations[variation] = None
        owners[verification.id] = verification.name
    for text, (variations, owners) in texts.items():
        everybody = len(owners) == len({verification.id for verification in all_})
        whose = "" if everybody else _some_of(sorted(set(owners.values())))
        about = " ".join(filter(None, (", ".join(variations), f"({whose})" if whose else "")))
        yield row(page, label, markup.show_lines(f"{about}: {text}" if about else text), most_rows=_MOST_ROWS)


def _varied(page: Page, compared: Sequence[Verification]) -> Iterator[Text]:
    """Yield the variations of all artifacts that were `compared`, then those that only some of them had."""
    common = [name for name in (compared[0].varied if compared else ()) if all(name in one.varied for one in compared)]
    if common:
        yield row(page, "varied", markup.show(", ".join(common)))
    more = [(", ".join(name for name in one.varied if name not in common), "", one) for one in compared]
    yield from each_once(page, "also varied", [entry for entry in more if entry[0]], compared)


def _table(page: Page, verifications: Sequence[Verification]) -> Iterator[Text]:
    """Yield a line for each artifact: verdict, name (shortened if needed), builds, seconds, variations."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    tails = _align([_tail_cells(verification) for verification in verifications])
    verdicts = max((len(describe_verdict(verification)) for verification in verifications), default=0)
    space = max(12, page.width - verdicts - 6 - max(map(len, tails), default=0))
    names = [layout.cut_middle(markup.show(entry.name), space) for entry in verifications]
    widest = max(map(cell_len, names), default=0)
    for verification, name, tail in zip(verifications, names, tails, strict=True):
        symbol, style = markup.symbol_of(verification)
        verdict = f"{symbol} {describe_verdict(verification):<{verdicts}}"
        begin = f"{verdict}  {set_cell_size(name, widest)}"
        end = layout.cut_end(f"  {tail}", page.width - cell_len(begin)).rstrip()
        line = Text.assemble(begin, (end, markup.QUIET))
        line.stylize(style, 0, len(verdict))
        yield line


def _tail_cells(verification: Verification) -> tuple[str, str, str]:
    asked = len(verification.varied) + len(verification.not_varied)
    varied = f"{len(verification.varied)} of {asked} variations" if verification.varied else ""
    return (
        _plural(len(verification.builds), "build"),
        f"{verification.seconds:.1f} s",
        ", ".join(filter(None, (varied, "cached" if verification.cached else ""))),
    )


def _agreement(verification: Verification) -> str:
    """Return how many builds of all sessions agree with the verdict; empty if only this session's do."""
    agreement = verification.agreement
    if not agreement or agreement.builds <= len(verification.builds):
        return ""
    builds, machines = _plural(agreement.builds, "build"), _plural(agreement.machines, "machine")
    return f"{builds} on {machines} over {_plural(agreement.days, 'day')}"


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the cells of each row in aligned columns, numbers flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"{builds:<{widths[0]}}  {seconds:>{widths[1]}}  {varied:>{widths[2]}}" for builds, seconds, varied in rows]


def _some_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _count_verdicts(verifications: Sequence[Verification]) -> str:
    counts = Counter(verification.verdict for verification in verifications)
    named = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    return f"{_plural(len(verifications), 'artifact')}: {named}"


def _plural(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
