"""Starting the process that sends: it alone imports OpenTelemetry."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pytest_ftc.model.support.credentials import without_credentials

_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
NO_EXTRA = "the extra 'otel' is missing: pip install 'pytest-ftc[otel]'"

# It finds the same packages as this process, but not first: pytest puts folders of tests in front of the standard
# library, which may have a queue.py.
_RUN = f"import sys, json; sys.path += json.loads(sys.argv.pop(1)); from {__package__}.sender import main; main()"
_LIMIT = re.compile("OTEL_.*_LIMIT")
"""Variables of limits, which are of no use here: the SDK cannot be imported where the value of one is no number."""


def is_installed() -> bool:
    """Return whether the extra is installed, without importing it."""
    return all(map(_is_there, _NEEDED))


def start_sender() -> subprocess.Popen[bytes]:
    """Start the process, with pipes for its input and output.  Raises OSError."""
    packages = [entry for entry in sys.path if entry and Path(entry).is_absolute()]
    flags = ["-I", "-W", "ignore", *(["-B"] if sys.dont_write_bytecode else ())]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _RUN, json.dumps(packages)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={name: value for name, value in without_credentials(os.environ).items() if not _LIMIT.fullmatch(name)},
        # Ctrl-C at the terminal must not end it before the session has.
        start_new_session=True,
    )


def _is_there(module: str) -> bool:
    with contextlib.suppress(ImportError):
        return find_spec(module) is not None
    return False
