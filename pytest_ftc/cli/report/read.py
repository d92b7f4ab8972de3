"""Reading a report, as the actions of ``ftc report`` do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.bounded_file import read_regular
from pytest_ftc.reporting.seal import DIGEST

_NAME = "report.json"
_MOST_BYTES = 1 << 30


def read_report(report: Path) -> tuple[Path, dict[str, Any]]:
    """Return the file of a `report`, which is a folder or a file, and what is in it.  Raises ConfigurationError."""
    path = report / _NAME if report.is_dir() else report
    try:
        document = json.loads(read_regular(path, _MOST_BYTES))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: {error.strerror or error}", advice="pytest --ftc-verify --ftc-report=DIR writes a report."
        ) from None
    except (RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path}: no valid JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("session"), dict):
        raise ConfigurationError(f"{path}: expected a report of pytest-ftc, with the key 'session'")
    if DIGEST not in document:
        raise ConfigurationError(f"{path}: this report has no digest: it was written by an earlier version")
    return path, document
