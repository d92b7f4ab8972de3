"""The same cases through reprotest, where it is installed."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which
from typing import Any

from corpus import Case, write_files

_TIMEOUT = 300
_AT_ONCE = 3


def run_reprotest(cases: Sequence[Case]) -> dict[str, Any] | None:
    """Run ``reprotest --auto-build`` on each case, print and return how many faults it found; None without it."""
    if which("reprotest") is None:
        print("\nreprotest is not installed")
        return None
    begin = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        seen = dict(zip((case.id for case in cases), pool.map(_detect, cases), strict=True))
    always = [case for case in cases if case.causes and not case.sometimes]
    figures = {
        "detected": sum(seen[case.id] is True for case in always),
        "of": len(always),
        "false_alarms": sum(seen[case.id] is True for case in cases if not case.causes),
        "did_not_run": sum(told is None for told in seen.values()),
        "seconds": time.monotonic() - begin,
        "cases": seen,
    }
    print(
        f"\nreprotest: detection {figures['detected']}/{figures['of']}, false alarms {figures['false_alarms']}, "
        f"did not run {figures['did_not_run']}, {figures['seconds']:.0f} s"
    )
    return figures


def _detect(case: Case) -> bool | None:
    """Return whether reprotest finds `case` unreproducible; None when it does not run through."""
    with tempfile.TemporaryDirectory(prefix="reprotest-") as folder:
        source = Path(folder, "source")
        write_files(case, source) if case.files else source.mkdir()
        command = ["reprotest", "--auto-build", "--no-diffoscope", "--vary=-user_group,-fileordering"]
        command += ["--build-command", case.build, str(source), " ".join(case.outputs), "--", "null"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            return None
        told = done.stdout + done.stderr
        if done.returncode == 0 or "Reproduction successful" in told:
            return False
        # With diff in the place of diffoscope its output alone says so, and the list of variations behind it.
        if re.search(r"^(diff -ru|Binary files|Only in|Observed unreproducibility)", told, re.MULTILINE):
            return True
        print(f"reprotest on {case.id}: {told.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
