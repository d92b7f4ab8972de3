"""Starting the processes that send: they alone import OpenTelemetry."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pytest_ftc.model.support.credentials import without_credentials

_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
NO_EXTRA = "the extra 'otel' is missing: pip install 'pytest-ftc[otel]'"


def is_installed() -> bool:
    """Return whether the extra is installed, without importing it."""
    return all(map(_is_there, _NEEDED))


def start_sender(module: str, *arguments: str, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Start `module` of this package, in `folder`, with pipes for its input and output.  Raises OSError."""
    packages = [entry for entry in sys.path if entry and Path(entry).is_absolute()]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", f"{__package__}.{module}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder or Path("/"),
        # It finds the same packages as this process.
        env={**without_credentials(os.environ), "PYTHONPATH": os.pathsep.join(packages)},
        # Ctrl-C at the terminal must not end it before the session has.
        start_new_session=True,
    )


def _is_there(module: str) -> bool:
    with contextlib.suppress(ImportError):
        return find_spec(module) is not None
    return False
