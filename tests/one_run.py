"""One run of pytest --ftc-verify for all artifacts of a test file: many builds in parallel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def verify_folder(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Verify what `folder` declares, with more `options`, and return each artifact of the report by its name."""
    report = folder.parent / f"{folder.name}.json"
    command = [sys.executable, "-m", "pytest", "--ftc-verify", f"--ftc-json={report}", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert report.exists(), done.stdout + done.stderr
    return {artifact["name"]: artifact for artifact in json.loads(report.read_text())["artifacts"]}
