"""Reports for CI services: GitHub annotations and job summary, GitLab code quality report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.support.printable import printable, shorten
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.baseline.state import Accepted, fold_new_first
from pytest_ftc.reporting.findings import findings_of, fold
from pytest_ftc.reporting.sarif import describe

_MOST_ANNOTATIONS = 10
"""GitHub shows at most this many annotations of each level per step."""
_LONGEST_TITLE = 200
_MOST_ROWS = 500
_MOST_BYTES = 500_000
"""Largest job summary; GitHub rejects a step's summary over 1 MiB."""
_SYMBOLS = {
    Verdict.REPRODUCIBLE: "✅",
    Verdict.EQUIVALENT: "🟰",
    Verdict.UNREPRODUCIBLE: "❌",
    Verdict.FAILED: "❌",
    Verdict.FRAGILE: "⚠️",
    Verdict.ERROR: "❗",
}


def to_annotations(verifications: Sequence[Verification], lines: Mapping[str, int], known: Accepted) -> list[str]:
    """Return workflow commands that annotate the declarations of artifacts with their findings.

    See https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions.
    """
    commands: dict[str, list[str]] = {"error": [], "notice": []}
    for one in verifications:
        place = f"file={_property(one.id.partition('::')[0])},line={lines.get(one.id, 1)}"
        for title, text, is_known in _messages(one, known):
            level = "notice" if is_known else "error"
            shown = _property(shorten(title, _LONGEST_TITLE))
            commands[level].append(f"::{level} {place},title={shown}::{_data(text)}")
    return [line for level, those in commands.items() for line in _bounded(level, those)]


def _bounded(level: str, commands: list[str]) -> list[str]:
    """Return at most as many commands as GitHub shows; the last one counts the rest."""
    if len(commands) <= _MOST_ANNOTATIONS:
        return commands
    shown = commands[: _MOST_ANNOTATIONS - 1]
    return [*shown, f"::{level} title=reproducible builds::and {len(commands) - len(shown)} more in the job's summary"]


def _messages(one: Verification, known: Accepted) -> Iterator[tuple[str, str, bool]]:
    if one.verdict is Verdict.UNREPRODUCIBLE:
        for findings, is_known in fold_new_first(one, known):
            more = f" (and {len(findings) - 1} similar)" if len(findings) > 1 else ""
            new = "new: " if known is not None and not is_known else ""
            yield f"{one.name}: {new}{findings[0].cause}{more}", describe(findings[0]), is_known
    elif one.verdict is not Verdict.REPRODUCIBLE:
        # A notice, as for what is known.
        yield f"{one.name}: {one.verdict.value}", one.reason, one.verdict is Verdict.EQUIVALENT
    for leak in one.leaks:
        yield f"{one.name}: leaks a secret", leak, False


def _data(text: str) -> str:
    """Return `text` as the data of a workflow command."""
    text = defuse(printable(shorten_lines(text)))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return `text` as a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def shorten_lines(text: str) -> str:
    """Return `text` cut to at most 1000 characters."""
    return text if len(text) <= 1000 else f"{text[:999]}…"


def job_summary(verifications: Sequence[Verification]) -> str:
    """Return a Markdown table of all artifacts with their differences, failed artifacts first."""
    ordered = sorted(verifications, key=lambda one: one.passed)
    rows = [
        "## Reproducible builds",
        "",
        "| | artifact | verdict | cause | builds | varied |",
        "|---|---|---|---|---|---|",
    ]
    table = [_row(one) for one in ordered[:_MOST_ROWS]]
    room = _MOST_BYTES - _take(rows, table, _MOST_BYTES // 2)
    left = len(ordered) - (len(rows) - 4)
    if left:
        rows.append(f"| | and {left} more | | | | |")
    for one in [one for one in ordered if one.verdict is Verdict.UNREPRODUCIBLE][:20]:
        groups = fold(findings_of(one))
        listed = ["", f"### {_cell(one.name)}", "", *(f"- {_cell(describe(findings[0]))}" for findings in groups[:10])]
        listed += [f"- and {len(groups) - 10} more in the report"] if len(groups) > 10 else []
        room -= _take(rows, listed, room)
    return "\n".join(rows) + "\n"


def _take(rows: list[str], more: Sequence[str], room: int) -> int:
    """Append as many of `more` to `rows` as fit into `room` bytes; return the bytes used."""
    taken = 0
    for row in more:
        size = len(row.encode("utf-8", "backslashreplace")) + 1
        if taken + size > room:
            break
        rows.append(row)
        taken += size
    return taken


def _row(one: Verification) -> str:
    causes = ", ".join(dict.fromkeys(finding.cause for finding in findings_of(one)))
    asked = len(one.varied) + len(one.not_varied)
    cells = [one.name, one.verdict.value, causes, str(len(one.builds)), f"{len(one.varied)} of {asked}"]
    return f"| {_SYMBOLS[one.verdict]} | {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Return `text` on one line, with all Markdown escaped."""
    shown = shorten(text, 600)
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|~!" else character for character in shown)


def code_quality(
    verifications: Sequence[Verification], lines: Mapping[str, int], known: Accepted
) -> list[dict[str, Any]]:
    """Return GitLab's code quality report.

    See https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
    """
    entries: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for one in verifications:
        for check, text, mark in _issues(one):
            seen[mark] = seen.get(mark, 0) + 1
            entries.append(
                {
                    "description": shorten(f"{one.name}: {text}", 1000),
                    "check_name": f"ftc/{check}",
                    # GitLab shows one entry per fingerprint.
                    "fingerprint": mark if seen[mark] == 1 else f"{mark}-{seen[mark]}",
                    "severity": "info" if check == Verdict.EQUIVALENT or (known and mark in known) else "major",
                    "location": {
                        "path": one.id.partition("::")[0],
                        "lines": {"begin": lines.get(one.id, 1)},
                    },
                }
            )
    return entries


def _issues(one: Verification) -> Iterator[tuple[str, str, str]]:
    if one.verdict is Verdict.UNREPRODUCIBLE:
        for finding in findings_of(one):
            yield finding.cause, describe(finding), fingerprint(one.id, finding)
    elif one.verdict is not Verdict.REPRODUCIBLE:
        yield one.verdict.value, one.reason, f"{one.verdict.value}-{one.id}"
