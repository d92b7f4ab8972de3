"""What continuous integration services read: GitHub's annotations and job summary, GitLab's code quality report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.printable import printable, shorten
from pytest_ftc.reporting.findings import findings_of, fold
from pytest_ftc.reporting.fingerprint import fingerprint
from pytest_ftc.reporting.sarif import describe

_MOST_ANNOTATIONS = 10
"""GitHub shows no more of a kind in one step."""
_MOST_ROWS = 500
_SYMBOLS = {
    Verdict.REPRODUCIBLE: "✅",
    Verdict.UNREPRODUCIBLE: "❌",
    Verdict.FAILED: "❌",
    Verdict.FRAGILE: "⚠️",
    Verdict.ERROR: "❗",
}


def to_annotations(verifications: Sequence[Verification], lines: Mapping[str, int], known: frozenset[str]) -> list[str]:
    """Return workflow commands that put findings beside the declarations of their artifacts.

    See https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions.
    """
    told = []
    for one in verifications:
        for title, text, is_known in _messages(one, known):
            level = "notice" if is_known else "error"
            place = f"file={_property(one.id.partition('::')[0])},line={lines.get(one.id, 1)}"
            told.append(f"::{level} {place},title={_property(title)}::{_data(text)}")
    return told[:_MOST_ANNOTATIONS]


def _messages(one: Verification, known: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    if one.verdict is Verdict.UNREPRODUCIBLE:
        for findings in fold(findings_of(one)):
            more = f" ({len(findings)} places alike)" if len(findings) > 1 else ""
            is_known = all(fingerprint(one.id, finding) in known for finding in findings)
            yield f"{one.name}: {findings[0].cause}{more}", describe(findings[0]), is_known
    elif one.verdict is not Verdict.REPRODUCIBLE:
        yield f"{one.name}: {one.verdict.value}", one.reason, False
    for leak in one.leaks:
        yield f"{one.name}: leaks a secret", leak, False


def _data(text: str) -> str:
    """Return `text` as the data of a workflow command."""
    text = printable(shorten_lines(text))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return `text` as a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def shorten_lines(text: str) -> str:
    """Return `text` cut to what a person reads in a list."""
    return text if len(text) <= 1000 else f"{text[:999]}…"


def job_summary(verifications: Sequence[Verification]) -> str:
    """Return the table of all artifacts, and what differs, as Markdown."""
    rows = [
        "## Reproducible builds",
        "",
        "| | artifact | verdict | cause | builds | varied |",
        "|---|---|---|---|---|---|",
    ]
    for one in verifications[:_MOST_ROWS]:
        causes = ", ".join(dict.fromkeys(finding.cause for finding in findings_of(one)))
        asked = len(one.varied) + len(one.not_varied)
        cells = [one.name, one.verdict.value, causes, str(len(one.builds)), f"{len(one.varied)} of {asked}"]
        rows.append(f"| {_SYMBOLS[one.verdict]} | {' | '.join(map(_cell, cells))} |")
    if len(verifications) > _MOST_ROWS:
        rows.append(f"| | and {len(verifications) - _MOST_ROWS} more | | | | |")
    bad = [one for one in verifications if one.verdict is Verdict.UNREPRODUCIBLE]
    for one in bad[:20]:
        rows += ["", f"### {_cell(one.name)}", ""]
        rows += [f"- {_cell(describe(findings[0]))}" for findings in fold(findings_of(one))[:10]]
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """Return `text` on one line of Markdown, none of it markup."""
    shown = shorten(text, 600)
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|~!" else character for character in shown)


def code_quality(
    verifications: Sequence[Verification], lines: Mapping[str, int], known: frozenset[str]
) -> list[dict[str, Any]]:
    """Return GitLab's report, see https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""
    entries: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for one in verifications:
        for check, text, mark in _issues(one):
            seen[mark] = seen.get(mark, 0) + 1
            entries.append(
                {
                    "description": shorten(f"{one.name}: {text}", 1000),
                    "check_name": f"ftc/{check}",
                    # One place with a fingerprint hides others that have the same.
                    "fingerprint": mark if seen[mark] == 1 else f"{mark}-{seen[mark]}",
                    "severity": "info" if mark in known else "major",
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
