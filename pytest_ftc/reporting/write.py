"""Writing report files atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftc.model import Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.reporting.baseline.state import Accepted
from pytest_ftc.reporting.ci import code_quality
from pytest_ftc.reporting.html.page import Trends, to_html
from pytest_ftc.reporting.json_report import report
from pytest_ftc.reporting.sarif import to_sarif
from pytest_ftc.reporting.seal import seal
from pytest_ftc.reporting.verification_files import write_verifications


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier sessions say of the artifacts of a report."""

    known: Accepted = None
    """The fingerprints of accepted findings."""
    trends: Trends = field(default_factory=dict)


def write_reports(
    folder: Path,
    verifications: Sequence[Verification],
    tool: Mapping[str, Any],
    session: Mapping[str, Any],
    lines: Mapping[str, int],
    earlier: Earlier,
) -> None:
    """Write report.json, index.html, findings.sarif, gl-code-quality-report.json and the records to `folder`.

    `lines` maps an artifact's id to the line that declares it.  Raises FtcError.
    """
    known = earlier.known
    write_text(folder / "index.html", to_html(verifications, tool, session, known, str(folder), earlier.trends))
    write_json(folder / "findings.sarif", to_sarif(verifications, tool, lines, known))
    write_json(folder / "gl-code-quality-report.json", code_quality(verifications, lines, known))
    write_verifications(folder, verifications, str(tool["version"]))
    # The last one, since it has the digests of all others.
    write_json(folder / "report.json", seal(report(verifications, tool, session, known), folder))


def write_json(path: Path, document: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write `document` to `path` as JSON.  Raises FtcError."""
    write_text(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`.  Raises FtcError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    except OSError as error:
        raise FtcError(
            f"cannot write the report to {path}: {error.strerror or error}",
            advice="Set --ftc-report or --ftc-json to a writable folder with free space.",
        ) from error
